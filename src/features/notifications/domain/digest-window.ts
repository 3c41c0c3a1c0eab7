/** For so long after a message, what is not urgent is collected for the next. */
export const WINDOW_MS = 5 * 60_000;
/** Notifications in one message, at most. */
const MAX_ITEMS = 200;

/** Urgent messages within one window that go at once, each alone: a device that never rests must not make them a plague. */
const MAX_URGENT = 10;

/** How it stands between a person and a channel: what is urgent has a window of its own. */
export interface DigestWindow {
  /** What is not urgent waits until then; null: it does not wait. */
  readonly openUntilMs: number | null;
  /** What is told at the end, while that has not begun to be sent. */
  readonly messageId: string | null;
  /** In it; of what is urgent, those that went at once, too. */
  readonly items: number;
}

/** Where a notification goes that is not urgent: into the message that waits, or a new one. */
export interface Placement {
  readonly window: DigestWindow & { readonly openUntilMs: number; readonly messageId: string };
  /** When the new message is due; null: it is not a new one. */
  readonly dueMs: number | null;
}

/**
 * The first goes at once and opens a window, what comes within it goes together at its end. So a burst costs two messages, and
 * one that does not end a message for each window.
 * @param afterQuiet when the person may be told, from an instant on
 * @param newId for a new message
 */
export function place(
  { openUntilMs, messageId, items }: DigestWindow,
  nowMs: number,
  afterQuiet: (atMs: number) => number,
  newId: () => string,
): Placement {
  if (messageId !== null && openUntilMs !== null && items < MAX_ITEMS) {
    return { window: { openUntilMs, messageId, items: items + 1 }, dueMs: null };
  }
  const dueMs = afterQuiet(Math.max(openUntilMs ?? nowMs, nowMs));
  return { window: { openUntilMs: dueMs + WINDOW_MS, messageId: newId(), items: 1 }, dueMs };
}

/**
 * What is urgent goes at once and alone, in quiet hours, too. Of more than ten within a window, the rest goes together at its end.
 * @param newId for a new message
 */
export function placeUrgent(
  { openUntilMs, messageId, items }: DigestWindow,
  nowMs: number,
  newId: () => string,
): Placement {
  if (openUntilMs === null || openUntilMs <= nowMs) {
    return { window: { openUntilMs: nowMs + WINDOW_MS, messageId: newId(), items: 1 }, dueMs: nowMs };
  }
  if (items < MAX_URGENT) {
    return { window: { openUntilMs, messageId: newId(), items: items + 1 }, dueMs: nowMs };
  }
  if (items > MAX_URGENT && items < MAX_URGENT + MAX_ITEMS && messageId !== null) {
    return { window: { openUntilMs, messageId, items: items + 1 }, dueMs: null };
  }
  return { window: { openUntilMs, messageId: newId(), items: MAX_URGENT + 1 }, dueMs: openUntilMs };
}
