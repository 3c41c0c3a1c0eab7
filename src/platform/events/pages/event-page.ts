import type { StoredEvent } from '../../../contracts/events.js';
import type { TwoWayPage } from '../../../shared/paging.js';
import { decodeLogCursor, encodeLogCursor, type LogPosition } from '../log-position.js';
import type { LogPage } from './event-page-store.js';

/** Begins the cursor that leads back: read on from it, a page goes the other way. */
const BACK = '~';

/** A page of the history, which is read in both directions. */
export interface EventPage extends TwoWayPage<StoredEvent> {
  /** The newest place of the page: what comes behind it is followed from there. */
  readonly cursor: string;
}

/** Where a page begins, and whether it is read against its order. */
interface Place {
  readonly start: LogPosition | undefined;
  readonly isBack: boolean;
}

interface Asked {
  readonly after?: string;
  readonly before?: string;
  readonly cursor?: string;
  readonly order: 'asc' | 'desc';
}

/** @throws InvalidCursorError, CursorExpiredError */
export function placeOf(generation: string, { after, before, cursor, order }: Asked): Place {
  if (cursor?.startsWith(BACK)) {
    return { start: decodeLogCursor(generation, cursor.slice(BACK.length)), isBack: true };
  }
  const given = cursor ?? (order === 'asc' ? after : before);
  return { start: given === undefined ? undefined : decodeLogCursor(generation, given), isBack: false };
}

/** @param end the newest place where nothing was found */
export function toEventPage(
  generation: string,
  found: LogPage,
  { order, start, isBack, end }: Place & { readonly order: 'asc' | 'desc'; readonly end: LogPosition },
): EventPage {
  const items = (isBack ? [...found.entries].reverse() : found.entries).map(({ event }) => event);
  const encode = (position: LogPosition | null | undefined, mark = ''): string | null =>
    position ? mark + encodeLogCursor(generation, position) : null;
  // Where reading began: what lies on the other side is of the page that was read before.
  const begin = found.entries[0]?.position ?? start;
  const [next, previous] = isBack ? [begin, found.end] : [found.end, start && begin];
  return {
    items,
    nextCursor: encode(next),
    previousCursor: encode(previous, BACK),
    cursor: newestOf(items, order)?.cursor ?? encodeLogCursor(generation, end),
  };
}

function newestOf(items: readonly StoredEvent[], order: 'asc' | 'desc'): StoredEvent | undefined {
  return order === 'desc' ? items[0] : items.at(-1);
}
