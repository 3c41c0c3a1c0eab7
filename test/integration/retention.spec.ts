/**
 * The end of rows by time, while others use them; and what a rule that does not do its work looks like. Seen to fail: the
 * late verdict, while the purge waited for locked rows; the plans, while tokens were found by `used_at OR expires_at`; the counts,
 * while a batch was counted after its COMMIT, and while the entry had a transaction of its own.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { AcknowledgementService } from '../../src/features/commands/acknowledgement/acknowledgement.service.js';
import { Database } from '../../src/platform/prisma/database.js';
import { JobRegistry } from '../../src/platform/queue/job-registry.js';
import { PurgeRegistry } from '../../src/platform/scheduling/purge-registry.js';
import { insertAccount } from '../support/accounts.fixture.js';
import { AuthFixture } from '../support/auth.fixture.js';
import {
  insertEnded,
  insertTenant,
  PURGED_TABLES,
  remaining,
  type RetentionTenant,
} from '../support/retention-rows.js';
import { request } from '../support/rest.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';

const YEAR_MS = 365 * 86_400_000;

describe('the end of rows by time', () => {
  let fixture: AuthFixture;
  let sql: Sql;
  let other: Sql;
  let tenant: RetentionTenant;

  beforeAll(async () => {
    fixture = await AuthFixture.start();
    sql = fixture.sql;
    other = await Sql.open(fixture.application.databaseUrl);
    tenant = await insertTenant(sql);
    // The rules run once when their application starts, too.
    const done = 'mortise_jobs_total{job="purge_commands",outcome="done"}';
    await eventually('the purge of the start is over', async () => (await fixture.application.metric(done)) > 0);
  });

  afterAll(async () => {
    await other.end();
    await fixture.stop();
  });

  const rules = () => fixture.get(PurgeRegistry);
  const yearsAgo = (years: number, count: number): Date[] =>
    Array.from({ length: count }, () => new Date(Date.now() - years * YEAR_MS));

  it('leaves a command alone whose late verdict is being written, and ends it afterwards', async () => {
    const [command = ''] = await insertEnded(sql, 'commands', yearsAgo(2, 1), [tenant]);
    await other.rows('BEGIN');
    await other.rows('SELECT 1 FROM commands WHERE id = $1 FOR UPDATE', [command]);
    await rules().run('purge_commands');
    expect(await remaining(sql, 'commands', [command])).toEqual(new Set([command]));
    await other.rows('COMMIT');
    await rules().run('purge_commands');
    expect(await remaining(sql, 'commands', [command])).toEqual(new Set());
  });

  it('makes a verdict that comes after it one of an unknown command, which is counted', async () => {
    const series = 'mortise_command_acks_ignored_total{reason="unknown_command"}';
    const before = await fixture.application.metric(series);
    // Of a device without a token nothing is taken, whatever it names.
    const token = `INSERT INTO device_credentials (id, device_id, token_hash) VALUES (gen_random_uuid(), $1, uuid_send($1))`;
    await sql.rows(token, [tenant.deviceId]);
    await fixture
      .get(AcknowledgementService)
      .acknowledge(tenant.deviceId, { commandId: randomUUID(), status: 'executed' });
    expect(await fixture.application.metric(series)).toBe(before + 1);
  });

  it('refuses the refresh token of a session that is gone, as one that expired, and makes nothing of it', async () => {
    const user = await fixture.createUser();
    const { body } = await fixture.login(user.email);
    await sql.rows(`UPDATE sessions SET expires_at = now() - interval '29 days' WHERE user_id = $1`, [user.id]);
    await rules().run('purge_sessions');
    const refresh = () => fixture.post('/auth/refresh', { refreshToken: body.refreshToken });
    const expired = await refresh();
    await sql.rows(`UPDATE sessions SET expires_at = now() - interval '31 days' WHERE user_id = $1`, [user.id]);
    // A refresh that holds the row at this moment changes nothing: it is expired for both.
    await Promise.all([rules().run('purge_sessions'), refresh()]);
    const gone = await refresh();
    expect([gone.status, gone.body.code]).toEqual([expired.status, expired.body.code]);
    expect(gone.status).toBe(401);
    expect(await sql.rows('SELECT 1 FROM sessions WHERE user_id = $1', [user.id])).toEqual([]);
  });

  it('forgets retired keys only, and not one that is being retired', async () => {
    const insertPassive = async (kid: string): Promise<unknown> =>
      sql.rows(
        `INSERT INTO signing_keys (kid, purpose, algorithm, public_jwk, sealed_private, state, changed_at)
         VALUES ($1, 'test', 'EdDSA', '{}', '', 'passive', now() - interval '9 years')`,
        [kid],
      );
    const kid = randomUUID();
    await insertPassive(kid);
    await other.rows('BEGIN');
    await other.rows(`UPDATE signing_keys SET state = 'retired', changed_at = now() WHERE kid = $1`, [kid]);
    await rules().run('purge_signing_keys');
    await other.rows('COMMIT');
    await rules().run('purge_signing_keys');
    expect(await remaining(sql, 'signing_keys', [kid])).toEqual(new Set([kid]));
  });

  it('is done once by several workers at the same time', async () => {
    const keys = await insertEnded(sql, 'event_counts', yearsAgo(3, 3_000), [tenant]);
    await Promise.all([1, 2, 3].map(() => rules().run('purge_event_rollups')));
    expect((await remaining(sql, 'event_counts', keys)).size).toBe(0);
  });

  it('finds its rows by an index on their time, so that what stays costs nothing', async () => {
    const database = fixture.get(Database);
    const texts = new Map<string, string>();
    const query = jest.spyOn(database, 'query').mockImplementation((name: string, text: string) => {
      texts.set(name, text);
      return Promise.resolve([]);
    });
    for (const [name] of rules().all()) {
      await rules().run(name);
    }
    query.mockRestore();
    // Keys are few, and have none.
    const tables = Object.keys(PURGED_TABLES).filter((table) => table !== 'signing_keys');
    // Loops ask as well, meanwhile.
    const seen = [...texts].filter(
      ([name, text]) =>
        /_purge|^deleted_accounts_list$/.test(name) && tables.some((table) => text.includes(` ${table} `)),
    );
    expect(seen.length).toBe(tables.length);
    await other.rows('SET enable_seqscan = off');
    for (const [name, text] of seen) {
      const plan = await other.rows<{ 'QUERY PLAN': string }>(`EXPLAIN (GENERIC_PLAN) ${text}`);
      const bounds = plan.map((row) => row['QUERY PLAN']).filter((line) => /Index Cond: .* < /.test(line));
      // Rows that end in one of two ways have an index for each.
      const ways = text.split("interval '1 millisecond'").length - 1;
      expect([name, bounds.length]).toEqual([name, ways]);
    }
    await other.rows('RESET enable_seqscan');
  });

  const audited = (rule: string) =>
    sql.rows<{ actor: string; after: Record<string, unknown> }>(
      `SELECT actor, after FROM audit_entries WHERE action = 'rows_purged' AND entity_type = 'purge_rule' AND entity_id = $1 ORDER BY id`,
      [rule],
    );

  it('tells the audit trail what was deleted, once for a day that is over, and an administrator at once', async () => {
    const admin = await insertAccount(fixture.application, { name: 'admin', role: 'ADMIN' });
    const reported = async (name: string): Promise<Record<string, unknown> | undefined> => {
      const url = fixture.application.url;
      const options = { token: admin.accessToken };
      const { body } = await request<{ rules: Record<string, unknown>[] }>(url, 'GET', '/api/v1/retention', options);
      return body.rules.find((rule) => rule.name === name);
    };
    await insertEnded(sql, 'alert_windows', yearsAgo(2, 2_500), [tenant]);
    await rules().run('purge_alert_windows');
    const tell = () => fixture.get(JobRegistry).get('audit_purged_rows')({});
    await tell();
    expect(await audited('purge_alert_windows')).toEqual([]);
    expect(await reported('purge_alert_windows')).toMatchObject({
      tables: ['alert_windows'],
      keptForSeconds: 7_200,
      state: 'ok',
      deleted: 2_500,
      unaudited: 2_500,
    });
    await eventually('partitions are looked after', async () => (await reported('purge_events'))?.state === 'ok');
    expect(await reported('purge_events')).toMatchObject({
      tables: ['events'],
      keptForSeconds: 90 * 86_400,
      deleted: 0,
    });

    await sql.rows(`UPDATE purge_runs SET unaudited_from = unaudited_from - interval '1 day'`);
    await Promise.all([tell(), tell(), tell()]);
    const [entry, ...others] = await audited('purge_alert_windows');
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ actor: 'system', after: { rows: 2_500, tables: ['alert_windows'] } });
    const [from, until, cutoff] = ['from', 'until', 'cutoff'].map((each) => Date.parse(String(entry?.after[each])));
    expect(until).toBeGreaterThan(from ?? NaN);
    expect(Math.abs((cutoff ?? NaN) + 7_200_000 - (until ?? NaN))).toBeLessThan(60_000);
    expect(await reported('purge_alert_windows')).toMatchObject({ deleted: 2_500, unaudited: 0 });
  });

  it('deletes nothing that it cannot count, and takes no count that the audit trail does not take', async () => {
    const keys = await insertEnded(sql, 'login_throttles', yearsAgo(2, 5), [tenant]);
    await sql.rows(
      `CREATE FUNCTION refuse_entry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no entry'; END $$`,
    );
    const refuse = (table: string): Promise<unknown> =>
      sql.rows(`CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON ${table} EXECUTE FUNCTION refuse_entry()`);
    await refuse('purge_runs');
    await expect(rules().run('purge_login_throttles')).rejects.toThrow('no entry');
    await sql.rows('DROP TRIGGER refuse ON purge_runs');
    expect(await remaining(sql, 'login_throttles', keys)).toEqual(new Set(keys));

    await rules().run('purge_login_throttles');
    await sql.rows(`UPDATE purge_runs SET unaudited_from = unaudited_from - interval '1 day'`);
    await refuse('audit_entries');
    const tell = () => fixture.get(JobRegistry).get('audit_purged_rows')({});
    await expect(tell()).rejects.toThrow('no entry');
    await sql.rows('DROP TRIGGER refuse ON audit_entries');
    expect(await audited('purge_login_throttles')).toEqual([]);
    await tell();
    expect(await audited('purge_login_throttles')).toMatchObject([{ after: { rows: 5 } }]);
  });

  it('shows in health and metrics when a rule fails or does not run, and when it does again', async () => {
    const retention = async (): Promise<Record<string, unknown>> => {
      const answer = await fetch(`${fixture.application.url}/api/health`);
      const { details } = (await answer.json()) as { details: Record<string, Record<string, unknown>> };
      return details.retention ?? {};
    };
    const job = fixture.get(JobRegistry).get('purge_commands');
    await sql.rows(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$`);
    await sql.rows(`CREATE TRIGGER refuse BEFORE DELETE ON commands EXECUTE FUNCTION refuse()`);
    await expect(job({})).rejects.toThrow('no');
    await eventually('health names it', async () => (await retention()).purge_commands === 'failed');
    await sql.rows('DROP TRIGGER refuse ON commands');
    const counted = await fixture.application.metric('mortise_purged_rows_total{rule="purge_commands"}');
    await insertEnded(sql, 'commands', yearsAgo(2, 5), [tenant]);
    await job({});
    await eventually('it is well again', async () => (await retention()).status === 'up');
    expect(await fixture.application.metric('mortise_purged_rows_total{rule="purge_commands"}')).toBe(counted + 5);

    await sql.rows(`UPDATE purge_runs SET ran_at = now() - interval '61 minutes' WHERE rule = 'purge_event_receipts'`);
    await eventually('it stopped', async () => (await retention()).purge_event_receipts === 'stopped');
    // A clock that was weeks ahead left that behind.
    await sql.rows(`UPDATE purge_runs SET ran_at = now() + interval '40 days' WHERE rule = 'purge_event_receipts'`);
    expect(await retention()).toMatchObject({ status: 'degraded', purge_event_receipts: 'stopped' });
    await fixture.get(JobRegistry).get('purge_event_receipts')({});
    await eventually('it runs again', async () => (await retention()).status === 'up');
  });
});
