/** Receipts are deleted, but never one that a device may still need. Seen to fail: without the condition on the boot. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PinoLogger } from 'nestjs-pino';
import { HistoryRepository } from '../../src/features/history/history.repository.js';
import { ReceiptSweeper } from '../../src/features/history/receipt-sweeper.js';
import { Neighbourhood } from '../support/neighbourhood.js';
import { eventually } from '../support/wait.js';

/** More than the sweeper deletes at once. */
const OLD_STARTS = 2_500;

let town: Neighbourhood;

beforeAll(async () => {
  town = await Neighbourhood.open({ ROLES: 'api' });
}, 60_000);

afterAll(() => town.close());

describe('The sweeper of receipts', () => {
  it('deletes receipts of old boots, however many, and keeps recent ones and that of the current boot', async () => {
    const { id } = await town.registered(await town.person('ada'));
    await town.sql.rows(`UPDATE devices SET boot = 'present' WHERE id = $1`, [id]);
    await town.sql.rows(
      `INSERT INTO device_receipts (device_id, boot, seq, updated_at)
       SELECT $1::uuid, 'old-' || n, n, now() - interval '31 days' FROM generate_series(1, $2::int) AS n
       UNION ALL SELECT $1, 'present', 7, now() - interval '31 days'
       UNION ALL SELECT $1, 'recent', 7, now() - interval '29 days'`,
      [id, OLD_STARTS],
    );
    const get = <T>(type: abstract new (...args: never[]) => T): T =>
      town.application.app.get<T>(type, { strict: false });
    const logger: PinoLogger = await town.application.app.resolve(PinoLogger);
    const sweeper = new ReceiptSweeper(get(HistoryRepository), logger);
    sweeper.onApplicationBootstrap();
    await eventually('the old ones are gone', async () => {
      const rows = await town.sql.rows(`SELECT 1 FROM device_receipts WHERE boot LIKE 'old-%' LIMIT 1`);
      return rows.length === 0;
    });
    await sweeper.beforeApplicationShutdown();
    expect(await town.sql.rows('SELECT boot FROM device_receipts ORDER BY boot')).toEqual([
      { boot: 'present' },
      { boot: 'recent' },
    ]);
  });
});
