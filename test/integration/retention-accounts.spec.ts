/**
 * What becomes of accounts that were deleted long ago. Seen to fail: the restoration, while an account that was passed over
 * counted as removed; the one behind, with a walk that began anew at those who stay, which never ended; and those of the next
 * batch, while a batch in which one could not be removed ended the run.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UsersService } from '../../src/features/users/users.service.js';
import { PurgeRegistry } from '../../src/platform/scheduling/purge-registry.js';
import { insertDevice } from '../support/retention-rows.js';
import { Sql } from '../support/sql.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

const KEPT = 'mortise_deleted_accounts_kept';

describe('an account that was deleted long ago', () => {
  let app: TestApp;
  let sql: Sql;
  let other: Sql;

  beforeAll(async () => {
    app = await TestApp.start({ env: { ROLES: 'api', RETENTION_DELETED_USERS: '30d' } });
    sql = await Sql.open(app.databaseUrl);
    other = await Sql.open(app.databaseUrl);
  });

  afterAll(async () => {
    await sql.end();
    await other.end();
    await app.stop();
  });

  const insertUser = async (deletedDaysAgo: number | null = null): Promise<string> => {
    const id = randomUUID();
    await sql.rows(
      `INSERT INTO users (id, email, display_name, deleted_at) VALUES ($1, $2, 'Ada', now() - $3 * interval '1 day')`,
      [id, `${id}@example.com`, deletedDaysAgo],
    );
    return id;
  };
  const insertOrganization = async (roles: Readonly<Record<string, string>>): Promise<string> => {
    const id = randomUUID();
    await sql.rows(`INSERT INTO organizations (id, name) VALUES ($1, 'House')`, [id]);
    for (const [userId, role] of Object.entries(roles)) {
      await sql.rows(
        `INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, $3::organization_role)`,
        [id, userId, role],
      );
    }
    return id;
  };
  /** Run after run, until nothing is left. @returns how many accounts were removed. */
  const purge = async (): Promise<number> => {
    let removed = 0;
    for (;;) {
      const { deleted, more } = await app.get(PurgeRegistry).run('purge_deleted_accounts');
      removed += deleted;
      if (!more) {
        return removed;
      }
    }
  };
  /** Those of these accounts and devices that are there. */
  const present = async (...ids: readonly string[]): Promise<string[]> => {
    const rows = await sql.rows<{ id: string }>(
      'SELECT id FROM users WHERE id = ANY ($1) UNION ALL SELECT id FROM devices WHERE id = ANY ($1)',
      [ids],
    );
    return ids.filter((id) => rows.some((row) => row.id === id));
  };

  it('is removed with its devices, whose hardware and address are free again; a younger one stays', async () => {
    const [old, young] = [await insertUser(31), await insertUser(29)];
    const [gone, there] = [await insertDevice(sql, old), await insertDevice(sql, young)];
    await insertOrganization({ [old]: 'VIEWER', [await insertUser()]: 'OWNER' });
    await sql.rows(`INSERT INTO user_preferences (user_id) VALUES ($1)`, [old]);
    await expect(purge()).resolves.toBe(1);
    expect(await present(old, gone, young, there)).toEqual([young, there]);
    const told = await sql.rows(
      `SELECT action, entity_id FROM audit_entries WHERE entity_id = ANY ($1) ORDER BY action`,
      [[old, gone]],
    );
    expect(told).toEqual([
      { action: 'account_removed', entity_id: old },
      { action: 'device_deleted', entity_id: gone },
    ]);
    expect(
      await sql.rows(`SELECT source, actor, user_id FROM events WHERE type = 'device_deleted' AND device_id = $1`, [
        gone,
      ]),
    ).toEqual([{ source: 'system', actor: 'system', user_id: old }]);
    await sql.rows(`INSERT INTO users (id, email, display_name) VALUES ($1, $2, 'Ada')`, [
      randomUUID(),
      `${old}@example.com`,
    ]);
    await sql.rows(`INSERT INTO devices (id, owner_id, name, hardware_id) VALUES ($1, $2, 'Door', $3)`, [
      randomUUID(),
      young,
      gone,
    ]);
  });

  it('stays while members stand before its door, or an organization has no other owner, and holds up no other', async () => {
    const member = await insertUser();
    const shared: string[] = [];
    // More than one batch of them, all older than the one behind.
    for (let index = 0; index < 55; index += 1) {
      const owner = await insertUser(90);
      shared.push(owner);
      const organizationId = await insertOrganization({ [member]: 'OWNER', [owner]: 'MANAGER' });
      await insertDevice(sql, owner, { organizationId });
    }
    const sole = await insertUser(80);
    await insertOrganization({ [sole]: 'OWNER', [member]: 'VIEWER' });
    const behind = await insertUser(40);
    const alone = await insertUser(40);
    const lonely = await insertDevice(sql, alone, { organizationId: await insertOrganization({ [alone]: 'VIEWER' }) });
    await expect(purge()).resolves.toBe(2);
    expect(await present(behind, alone, lonely, sole, ...shared)).toEqual([sole, ...shared]);
    expect(await app.metric(`${KEPT}{reason="shared_devices"}`)).toBe(55);
    expect(await app.metric(`${KEPT}{reason="last_owner"}`)).toBe(1);

    // Nothing stands against it once the member is gone, too.
    await sql.rows('DELETE FROM memberships WHERE user_id = $1', [member]);
    await expect(purge()).resolves.toBe(55);
    expect(await app.metric(`${KEPT}{reason="shared_devices"}`)).toBe(0);
    await sql.rows('DELETE FROM users WHERE id = $1', [sole]);
  });

  it('is whole when it is restored at that moment', async () => {
    const user = await insertUser(31);
    const device = await insertDevice(sql, user);
    await other.rows('BEGIN');
    await other.rows('UPDATE users SET deleted_at = NULL, version = version + 1 WHERE id = $1', [user]);
    // It neither waits for the restoration nor acts on what it read before.
    await expect(purge()).resolves.toBe(0);
    await other.rows('COMMIT');
    await expect(purge()).resolves.toBe(0);
    expect(await present(user, device)).toEqual([user, device]);
  });

  it('is not found by a restoration that comes too late', async () => {
    const user = await insertUser(31);
    const device = await insertDevice(sql, user);
    await other.rows('BEGIN');
    await other.rows('SELECT 1 FROM devices WHERE id = $1 FOR UPDATE', [device]);
    const purged = purge();
    await eventually('the purge waits for the device', async () => (await sql.lockWaits()) === 1);
    const restored = app.get(UsersService).restore(user);
    restored.catch(() => undefined);
    await eventually('the restoration waits for the purge', async () => (await sql.lockWaits()) === 2);
    await other.rows('COMMIT');
    await expect(purged).resolves.toBe(1);
    await expect(restored).rejects.toMatchObject({ code: 'user_not_found' });
    expect(await present(user, device)).toEqual([]);
  });

  it('does not hold up others when it cannot be removed, and the run says so', async () => {
    const stuck = await insertUser(50);
    const next: string[] = [];
    for (let index = 0; index < 55; index += 1) {
      // More than one batch of them.
      next.push(await insertUser(40));
    }
    const device = await insertDevice(sql, stuck);
    await sql.rows(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'; END $$`,
    );
    await sql.rows(
      `CREATE TRIGGER refuse BEFORE DELETE ON devices FOR EACH ROW WHEN (OLD.id = '${device}') EXECUTE FUNCTION refuse()`,
    );
    await expect(purge()).rejects.toThrow('not this one');
    expect(await present(stuck, device, ...next)).toEqual([stuck, device]);
    await sql.rows('DROP TRIGGER refuse ON devices');
    await expect(purge()).resolves.toBe(1);
  });
});
