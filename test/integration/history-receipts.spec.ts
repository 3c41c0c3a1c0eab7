/** Receipts are deleted, but never one that a device may still need. Seen to fail: without the condition on the boot. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PurgeRegistry } from '../../src/platform/scheduling/purge-registry.js';
import { OrganizationsFixture } from '../support/organizations.fixture.js';

/** More than one batch. */
const OLD_STARTS = 2_500;

let fixture: OrganizationsFixture;

beforeAll(async () => {
  fixture = await OrganizationsFixture.start({ ROLES: 'api' });
}, 60_000);

afterAll(() => fixture.stop());

describe('The purge of receipts', () => {
  it('deletes receipts of old boots, however many, and keeps recent ones and that of the current boot', async () => {
    const { id } = await fixture.registerDevice(await fixture.createAccount('ada'));
    await fixture.sql.rows(`UPDATE devices SET boot = 'present' WHERE id = $1`, [id]);
    await fixture.sql.rows(
      `INSERT INTO device_receipts (device_id, boot, seq, updated_at)
       SELECT $1::uuid, 'old-' || n, n, now() - interval '31 days' FROM generate_series(1, $2::int) AS n
       UNION ALL SELECT $1, 'present', 7, now() - interval '31 days'
       UNION ALL SELECT $1, 'recent', 7, now() - interval '29 days'`,
      [id, OLD_STARTS],
    );
    await fixture.application.get(PurgeRegistry).run('purge_event_receipts');
    expect(await fixture.sql.rows('SELECT boot FROM device_receipts ORDER BY boot')).toEqual([
      { boot: 'present' },
      { boot: 'recent' },
    ]);
  });
});
