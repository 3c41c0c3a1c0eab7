import { Database } from '../../src/platform/prisma/database.js';
import type { TestApp } from './test-app.js';
import { eventually } from './wait.js';

/** Shorter than a caller waits for a connection (5 s): one always waits. */
const ONE_MORE_WAITS_EVERY_MS = 500;

/**
 * Takes every connection of an application to PostgreSQL, and returns when one has been waited for so long.
 * @returns gives them back
 */
export async function exhaustPool(app: TestApp, waitedMs: number): Promise<() => Promise<void>> {
  const { pool } = app.get(Database);
  const taken = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()));
  const waiting: Promise<void>[] = [];
  const timer = setInterval(() => {
    waiting.push(
      pool.connect().then(
        (connection) => {
          connection.release();
        },
        () => undefined,
      ),
    );
  }, ONE_MORE_WAITS_EVERY_MS);
  await eventually('a connection is waited for', () => pool.longestWaitMs > waitedMs);
  return async () => {
    clearInterval(timer);
    taken.forEach((connection) => {
      connection.release();
    });
    await Promise.all(waiting);
  };
}
