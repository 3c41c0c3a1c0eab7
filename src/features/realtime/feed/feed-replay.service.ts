import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { StoredEvent } from '../../../contracts/events.js';
import { EventLog } from '../../../platform/events/event-log.js';
import { isCursorAfter } from '../../../platform/events/log-position.js';
import { FeedAuthorizer } from './feed-authorizer.js';
import type { FeedSubscriber } from './feed-channel.types.js';
import { type Absence, FeedPublisher } from './feed-publisher.js';

const PAGE = 200;
const MAX_EVENTS = 2_000;
/** Whose devices send more than is read and kept meanwhile cannot catch up: they read the state again. */
const MAX_ROUNDS = 50;

/** Brings connections up to date: what they missed comes first, in order, then the feed goes on without gap or repeat. */
@Injectable()
export class FeedReplayService {
  constructor(
    private readonly log: EventLog,
    private readonly authorizer: FeedAuthorizer,
    private readonly publisher: FeedPublisher,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(FeedReplayService.name);
  }

  /** Sends what followed `lastCursor`, then joins; or `resync`, when that is too much, or the cursor unknown. */
  async replay(subscriber: FeedSubscriber, lastCursor: string): Promise<void> {
    let reached: string | null = null;
    try {
      reached = await this.catchUp(subscriber, lastCursor);
    } catch (error) {
      this.logger.debug({ err: error }, 'Missed events could not be sent again');
    }
    if (reached === null && !subscriber.isClosed) {
      subscriber.resync(this.publisher.cursor);
    }
  }

  /** The cursor at which the subscriber joins; null when it cannot catch up, or is closed. */
  private async catchUp(subscriber: FeedSubscriber, lastCursor: string): Promise<string | null> {
    const { scope } = subscriber;
    const absence = this.publisher.beginAbsence(scope);
    try {
      let cursor = lastCursor;
      for (let sent = 0, rounds = 0; sent < MAX_EVENTS && rounds < MAX_ROUNDS && !subscriber.isClosed; rounds += 1) {
        startAgain(absence);
        const page = await this.log.feedPage({ scope, after: cursor, limit: PAGE });
        await this.send(subscriber, page.items);
        sent += page.items.length;
        cursor = page.cursor;
        if (!page.more) {
          cursor = await this.sendMissed(subscriber, absence, cursor);
          // No await between the last look at what was missed and the join, so that nothing is published in between.
          if (!absence.isOverfull) {
            this.publisher.joinAt(subscriber, cursor);
            return cursor;
          }
        }
      }
      return null;
    } finally {
      this.publisher.endAbsence(absence);
    }
  }

  /**
   * Sends what was published behind `cursor` meanwhile, from memory: while many catch up at once and events go on, the log would
   * never be read to its end between two of them. @returns the cursor of the last one
   */
  private async sendMissed(subscriber: FeedSubscriber, absence: Absence, cursor: string): Promise<string> {
    let reached = cursor;
    while (!subscriber.isClosed && !absence.isOverfull) {
      const missed = absence.missed.splice(0).filter((event) => isCursorAfter(event.cursor, reached));
      if (missed.length === 0) {
        break;
      }
      await this.send(subscriber, missed);
      reached = missed.at(-1)?.cursor ?? reached;
    }
    return reached;
  }

  /** Those that its person may see at this moment. */
  private async send(subscriber: FeedSubscriber, events: readonly StoredEvent[]): Promise<void> {
    for (const event of await this.authorizer.seenBy(subscriber.scope.userId, events)) {
      subscriber.send(event);
    }
  }
}

/** What was published until now is in the log. */
function startAgain(absence: Absence): void {
  absence.missed = [];
  absence.isOverfull = false;
}
