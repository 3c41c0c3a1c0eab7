import { randomUUID } from 'node:crypto';
import { EventLog } from '../../src/platform/events/event-log.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import type { EventStreamClient } from './event-stream-client.js';
import type { TestApp } from './test-app.js';
import { eventually } from './wait.js';

export interface EventSubject {
  readonly userId?: string;
  readonly deviceId?: string;
}

/**
 * Commits events of a person's own, or of a device, with a mark each.
 * @param size so many characters more in each @returns the marks
 */
export async function appendMarked(app: TestApp, count: number, of: EventSubject, size: number): Promise<string[]> {
  const marks = Array.from({ length: count }, () => randomUUID());
  const log = app.get(EventLog);
  // With line ends, which must not end a line of the stream.
  const padding = `\r\n\r\ndata: x${'x'.repeat(size)}`;
  await app.get(Transactions).run(() =>
    log.append(
      marks.map((mark) => ({
        type: 'motion_detected' as const,
        payload: { zone: mark + padding },
        source: 'system' as const,
        actor: 'system' as const,
        ...of,
      })),
    ),
  );
  return marks;
}

export const marksOf = (stream: EventStreamClient): string[] =>
  stream.feed.map(({ payload }) => (payload as { zone?: string }).zone?.slice(0, 36) ?? '');

/** Waits for the last of them. @returns the marks of all that the stream has heard */
export async function heard(stream: EventStreamClient, marks: readonly string[]): Promise<string[]> {
  await eventually('the last event arrives', () => marksOf(stream).includes(marks.at(-1) ?? ''));
  return marksOf(stream);
}
