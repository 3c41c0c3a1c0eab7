import type { EventScope, RoutedEvent, StoredEvent } from '../../../contracts/events.js';
import type { FeedRoom } from '../../../contracts/realtime.js';
import type { Verdicts } from '../../history/feed/verdict.types.js';

/** A way in which people hear the feed in this process: sockets, or event streams. */
export interface FeedChannel {
  /** The people who listen in any of these rooms. */
  listenersIn(rooms: readonly FeedRoom[]): Iterable<string>;
  /** Sends an event to those in these rooms who may see it, once each. Who has no verdict does not get it. */
  deliver(event: RoutedEvent, rooms: readonly FeedRoom[], verdicts: Verdicts): void;
  /** Tells all who listen to read the state again, and to go on from this cursor. */
  resyncAll(cursor: string): void;
}

/** A connection that gets what it has missed, and then joins the feed. */
export interface FeedSubscriber {
  readonly scope: EventScope;
  /** It needs nothing more. */
  readonly isClosed: boolean;
  send(event: StoredEvent): void;
  /** From here on, its channel delivers. */
  join(): void;
  /** Too much was missed, or the cursor is unknown: it joins, and reads the state again. */
  resync(cursor: string | null): void;
}
