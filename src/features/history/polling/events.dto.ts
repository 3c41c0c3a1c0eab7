import type { StoredEvent } from '../../../contracts/events.js';
import type { FeedPage } from '../../../platform/events/event-log.js';
import type { EventPage } from '../../../platform/events/pages/event-page.js';
import { type EventDto, toEventDto } from '../history.dto.js';
import { toEventPageDto } from '../list/event-list.dto.js';

/** What followed a cursor, or a page of the history. */
export class PolledEventsDto {
  /** Oldest first, or in the `order` of the history. */
  items!: EventDto[];

  /**
   * The newest place of the answer. Pass it as `after` next time, here or in any other channel.
   * @example MS4xMjM0NS42Nzg5
   */
  cursor!: string;

  /** There may be more already: ask again at once. A page may have no events and more behind it. */
  more!: boolean;

  /**
   * Of the history: pass it as `cursor` for the next page; null on the last page.
   * @example MS4xMjM0NS42Nzg5
   */
  nextCursor?: string | null;

  /**
   * Of the history: pass it as `cursor` for the page before; null where there is none.
   * @example ~MS4xMjM0NS42Nzg5
   */
  previousCursor?: string | null;
}

export function toPolledEventsDto({ items, cursor, more }: FeedPage): Readonly<PolledEventsDto> {
  return { items: items.map((event: StoredEvent) => toEventDto(event)), cursor, more };
}

export function toListedEventsDto(page: EventPage, fields: string | undefined): Readonly<PolledEventsDto> {
  return { ...toEventPageDto(page, fields), cursor: page.cursor, more: page.nextCursor !== null };
}
