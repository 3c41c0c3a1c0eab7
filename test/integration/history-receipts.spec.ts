/** Receipts are forgotten, but never one that a device may still need. Seen to fail: without the condition on the boot. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PinoLogger } from 'nestjs-pino';
import { HistoryRepository } from '../../src/features/history/history.repository.js';
import { ReceiptSweeper } from '../../src/features/history/receipt-sweeper.js';
import { OrganizationsFixture } from '../support/organizations.fixture.js';
import { eventually } from '../support/wait.js';

/** More than the sweeper takes at once. */
const OLD_STARTS = 2_500;

let fixture: OrganizationsFixture;

beforeAll(async () => {
  fixture = await OrganizationsFixture.start({ ROLES: 'api' });
}, 60_000);

afterAll(() => fixture.stop());

describe('The sweeper of receipts', () => {
  it('forgets starts that are long over, however many, and keeps the present one and recent ones', async () => {
    const { id } = await fixture.registerDevice(await fixture.createAccount('ada'));
    await fixture.sql.rows(`UPDATE devices SET boot = 'present' WHERE id = $1`, [id]);
    await fixture.sql.rows(
      `INSERT INTO device_receipts (device_id, boot, seq, updated_at)
       SELECT $1::uuid, 'old-' || n, n, now() - interval '31 days' FROM generate_series(1, $2::int) AS n
       UNION ALL SELECT $1, 'present', 7, now() - interval '31 days'
       UNION ALL SELECT $1, 'recent', 7, now() - interval '29 days'`,
      [id, OLD_STARTS],
    );
    const get = <T>(type: abstract new (...args: never[]) => T): T => fixture.application.get(type);
    const logger: PinoLogger = await fixture.application.nest.resolve(PinoLogger);
    const sweeper = new ReceiptSweeper(get(HistoryRepository), logger);
    sweeper.onApplicationBootstrap();
    await eventually('the old ones are gone', async () => {
      const rows = await fixture.sql.rows(`SELECT 1 FROM device_receipts WHERE boot LIKE 'old-%' LIMIT 1`);
      return rows.length === 0;
    });
    await sweeper.beforeApplicationShutdown();
    expect(await fixture.sql.rows('SELECT boot FROM device_receipts ORDER BY boot')).toEqual([
      { boot: 'present' },
      { boot: 'recent' },
    ]);
  });
});
