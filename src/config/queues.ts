import type { z } from 'zod';
import { DOCS, integer } from './settings.js';

const atOnce = (initial: number, most: number, what: string): z.ZodType<number, string | undefined> =>
  integer(1, most)
    .default(initial)
    .register(DOCS, { description: what, example: String(initial) });

/** How many jobs of each queue one worker does at once. */
export const QUEUE_SETTINGS = {
  EXPORT_CONCURRENCY: atOnce(5, 50, 'Exports that one worker makes at once. Two of them read the database at a time.'),
  NOTIFICATION_CONCURRENCY: atOnce(10, 100, 'Notifications that one worker sends at once.'),
  WEBHOOK_CONCURRENCY: atOnce(10, 100, 'Calls of webhooks that one worker makes at once.'),
  MAIL_CONCURRENCY: atOnce(10, 100, 'Mails that one worker sends at once.'),
  MAINTENANCE_CONCURRENCY: atOnce(1, 10, 'Maintenance jobs, such as purges, that one worker does at once.'),
} as const;

type QueueSettings = { readonly [V in keyof typeof QUEUE_SETTINGS]: z.output<(typeof QUEUE_SETTINGS)[V]> };

/** The jobs of one worker at once, by queue: the one list of the queues. */
export type QueueConcurrency = Readonly<
  Record<'exports' | 'notifications' | 'webhooks' | 'mail' | 'maintenance', number>
>;

export function concurrencyOf(settings: QueueSettings): QueueConcurrency {
  return Object.freeze({
    exports: settings.EXPORT_CONCURRENCY,
    notifications: settings.NOTIFICATION_CONCURRENCY,
    webhooks: settings.WEBHOOK_CONCURRENCY,
    mail: settings.MAIL_CONCURRENCY,
    maintenance: settings.MAINTENANCE_CONCURRENCY,
  });
}
