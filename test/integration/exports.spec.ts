/** Exports as their owners ask for them and follow them, and what is in their files. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Papa from 'papaparse';
import { DATA_SETS } from '../../src/features/exports/data-sets/data-sets.js';
import { EXPORT_TYPES } from '../../src/features/exports/exports.types.js';
import { type Account, createAdmin, insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import { Dashboard } from '../support/dashboard.js';
import type { RegisteredDevice } from '../support/devices.fixture.js';
import { registerDevice } from '../support/devices.fixture.js';
import { type ExportsClient, ExportsFixture, insertEvents } from '../support/exports.fixture.js';
import type { MailServer } from '../support/mail-server.js';
import { request } from '../support/rest.js';
import { Sql } from '../support/sql.js';
import type { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

let fixture: ExportsFixture;
let application: TestApp;
let sql: Sql;
let exports: ExportsClient;
let admin: Account;
let server: MailServer;
let ada: InsertedAccount;
let mallory: InsertedAccount;
let door: RegisteredDevice;

beforeAll(async () => {
  fixture = await ExportsFixture.start();
  ({ application, sql, client: exports, ada, mallory, door, server } = fixture);
  admin = await createAdmin(application);
});

afterAll(() => fixture.stop());

const rowsOf = (csv: string): Record<string, string>[] =>
  Papa.parse<Record<string, string>>(csv, { header: true, skipEmptyLines: true }).data;

describe('what is in the file', () => {
  it('is what happened to my devices and to no other one, oldest first, in each format alike', async () => {
    const [csv, json, ndjson] = await Promise.all(
      ['csv', 'json', 'ndjson'].map((format) => exports.text(ada, { type: 'device_logs', format })),
    );
    const rows = rowsOf(csv!);
    const documents = JSON.parse(json!) as Record<string, unknown>[];
    expect(rows.map(({ id }) => id)).toEqual(documents.map(({ id }) => id));
    expect(documents).toEqual(
      ndjson!
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    );
    expect(new Set(rows.map(({ deviceId }) => deviceId))).toEqual(new Set([door.id]));
    expect(new Set(rows.map(({ deviceName }) => deviceName))).toEqual(new Set(["Front;' =door"]));
    expect(documents.filter(({ type }) => type === 'custom').map(({ payload }) => payload)).toEqual(
      Array.from({ length: 30 }, (_, index) => ({ note: 'hers', number: index + 1 })),
    );
    expect(csv).toMatch(/\r\n$/);
  });

  it('is narrowed to devices, types, a range and columns, and written in the zone that was asked for', async () => {
    const csv = await exports.text(ada, {
      type: 'device_logs',
      format: 'csv',
      deviceIds: [door.id.toUpperCase()],
      eventTypes: ['device_registered'],
      from: '2026-01-01T00:00:00+01:00',
      until: '2100-01-01T00:00:00Z',
      columns: ['type', 'receivedAt'],
      timeZone: 'asia/kathmandu',
    });
    expect(csv).toMatch(/^type,receivedAt\r\ndevice_registered,\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+05:45\r\n$/);
  });

  it('is empty where nothing matches: a header, an empty array, nothing', async () => {
    const nothing = { type: 'device_logs', eventTypes: ['motion_detected'], columns: ['id', 'payload'] };
    await expect(exports.text(ada, { ...nothing, format: 'csv' })).resolves.toBe('id,payload\r\n');
    await expect(exports.text(ada, { ...nothing, format: 'json' })).resolves.toBe('[]\n');
    await expect(exports.text(ada, { ...nothing, format: 'ndjson' })).resolves.toBe('');
  });

  it('is how my devices are, and how they were used', async () => {
    const [device] = rowsOf(await exports.text(ada, { type: 'device_report', format: 'csv' }));
    expect(device).toMatchObject({ id: door.id, name: "Front;' =door", status: 'unknown', type: 'door_lock' });
    const counted = await eventually('the events are counted', async () => {
      const rows = rowsOf(
        await exports.text(ada, {
          type: 'usage_report',
          format: 'csv',
          until: new Date(Date.now() + 60_000).toISOString(),
        }),
      );
      return Number(rows[0]?.events ?? 0) >= 30 && rows;
    });
    expect(counted).toEqual([expect.objectContaining({ deviceId: door.id, unlocks: '0' })]);
  });

  it('is all that is kept about me, without secrets and without others', async () => {
    const text = await exports.text(ada, { type: 'my_data', format: 'ndjson' });
    const rows = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { section: string; data: Record<string, unknown> });
    expect(rows.find(({ section }) => section === 'account')?.data).toMatchObject({ email: ada.email });
    expect(rows.filter(({ section }) => section === 'device').map(({ data }) => data.name)).toEqual(['Front; =door']);
    expect(rows.map(({ section }) => section)).toEqual(expect.arrayContaining(['session', 'activity']));
    expect(text).not.toMatch(/hash|token|secret|mallory|Side door/i);
  });

  it('tells me what I asked for, offered and was offered, and did, and that by no token', async () => {
    const person = await insertAccount(application);
    const device = await registerDevice(application.url, person, 'My door');
    const scheduleId = await exports.scheduled(person);
    const { id: asked } = await exports.made(person, { type: 'device_report', format: 'csv' });
    const later = new Date(Date.now() + 3_600_000);
    const secret = Buffer.from('never in an export');
    await sql.rows(
      `WITH o AS (INSERT INTO organizations (id, name, updated_at) VALUES (gen_random_uuid(), 'Bakery', now()), (gen_random_uuid(), 'Mill', now()) RETURNING id, name),
         i AS (INSERT INTO invitations (id, organization_id, email, role, token_hash, invited_by, expires_at)
           SELECT gen_random_uuid(), o.id, CASE o.name WHEN 'Bakery' THEN $1::text ELSE 'baker@example.org' END, 'VIEWER', $6::bytea || o.name::bytea,
             CASE o.name WHEN 'Bakery' THEN $3::uuid ELSE $2::uuid END, $5 FROM o),
         t AS (INSERT INTO device_transfers (id, device_id, from_id, email, token_hash, expires_at)
           VALUES (gen_random_uuid(), $4, $2, 'next@example.org', $6::bytea, $5), (gen_random_uuid(), $7, $3, $1, $6::bytea || '!', $5))
       SELECT`,
      [person.email, person.id, mallory.id, device.id, later, secret, fixture.his.id],
    );
    const text = await exports.text(person, { type: 'my_data', format: 'json' });
    const rows = JSON.parse(text) as { section: string; id: string; data: Record<string, unknown> }[];
    const of = (name: string): object[] =>
      rows.filter(({ section }) => section === name).map(({ id, data }) => ({ id, ...data }));
    expect(of('transfer_sent')).toMatchObject([{ deviceId: device.id, email: 'next@example.org' }]);
    expect(of('transfer_received')).toMatchObject([{ deviceId: fixture.his.id }]);
    expect(of('invitation_sent')).toMatchObject([{ name: 'Mill', email: 'baker@example.org', role: 'VIEWER' }]);
    expect(of('invitation_received')).toMatchObject([{ name: 'Bakery', role: 'VIEWER', acceptedAt: null }]);
    expect(of('export')).toContainEqual(
      expect.objectContaining({ id: asked, type: 'device_report', state: 'COMPLETED' }),
    );
    expect(of('export_schedule')).toMatchObject([{ id: scheduleId, every: 'daily', at: '07:00' }]);
    expect(of('event')).toContainEqual(expect.objectContaining({ type: 'device_registered', deviceId: device.id }));
    expect(text).not.toMatch(/token|hash|sha256|6e65766572/i);
    expect(rows.filter(({ data }) => JSON.stringify(data).includes(mallory.email))).toEqual([]);
  });

  it('has true and false in CSV as in JSON, whatever the type', async () => {
    const seen: Record<string, string[]> = {};
    for (const type of EXPORT_TYPES) {
      const body = { type, columns: Object.keys(DATA_SETS[type].columns) };
      const json = await exports.text(admin, { ...body, format: 'json' });
      const documents = JSON.parse(json) as Record<string, unknown>[];
      const booleans = body.columns.filter((name) => documents.some((document) => typeof document[name] === 'boolean'));
      if (booleans.length > 0) {
        seen[type] = booleans;
        const rows = rowsOf(await exports.text(admin, { ...body, format: 'csv', columns: ['id', ...booleans] }));
        const expected = documents.map(({ id, ...document }) => [
          id,
          ...booleans.map((name) => String(document[name])),
        ]);
        expect(rows.map((row) => [row.id, ...booleans.map((name) => row[name])])).toEqual(expected);
      }
    }
    expect(seen).toEqual({ users: ['hasPassword'] });
  });

  it('has a row for each device also where its only cell is empty', async () => {
    const csv = await exports.text(ada, { type: 'device_report', format: 'csv', columns: ['room'] });
    expect(csv).toBe('room\r\n""\r\n');
    for (const column of ['battery', 'lastSeenAt']) {
      const text = await exports.text(ada, { type: 'device_report', format: 'csv', columns: [column] });
      expect(text).toBe(`${column}\r\n""\r\n`);
    }
    await expect(exports.text(ada, { type: 'device_report', format: 'csv', columns: ['room', 'name'] })).resolves.toBe(
      `room,name\r\n,"Front;' =door"\r\n`,
    );
  });

  it('is of all accounts, or the audit trail, for administrators alone', async () => {
    const users = rowsOf(await exports.text(admin, { type: 'users', format: 'csv' }));
    expect(users.map(({ email }) => email)).toEqual(expect.arrayContaining([ada.email, mallory.email]));
    const audit = rowsOf(await exports.text(admin, { type: 'audit', format: 'csv', columns: ['action', 'after'] }));
    expect(audit).toContainEqual({ action: 'export_requested', after: expect.stringContaining('"users"') as unknown });
    for (const type of ['users', 'audit']) {
      const { status, body } = await exports.ask(ada, { type, format: 'csv' });
      expect({ status, code: body.code }).toEqual({ status: 403, code: 'forbidden' });
    }
  });

  it('ends where the log stood when it was asked for, also while an older transaction is open', async () => {
    const person = await insertAccount(application);
    const { id: deviceId } = await registerDevice(application.url, person, 'Late door');
    const late = await Sql.open(application.databaseUrl);
    await late.rows('BEGIN');
    await insertEvents(late, { deviceId, ownerId: person.id }, 2, 'began before');
    await insertEvents(sql, { deviceId, ownerId: person.id }, 1, 'before');
    const asked = await exports.ask(person, { type: 'device_logs', format: 'csv', eventTypes: ['custom'] });
    await insertEvents(sql, { deviceId, ownerId: person.id }, 3, 'after');
    await eventually('an attempt found the log open', async () => (await attemptsOf(asked.body.id)) > 1);
    await late.rows('COMMIT');
    await late.end();
    const { progress } = await exports.ended(person, asked.body.id);
    expect(progress).toMatchObject({ rows: 3, percent: 100 });
    const text = await (await exports.download(person, asked.body.id)).text();
    expect(text.match(/began before|before|after/g)).toEqual(['began before', 'began before', 'before']);
  });
});

async function attemptsOf(id: string): Promise<number> {
  const [row] = await sql.rows<{ attempts: number }>('SELECT attempts FROM exports WHERE id = $1', [id]);
  return row?.attempts ?? 0;
}

describe('asking for it', () => {
  it('is answered with 202 and where to look, and with 200 when it ended while the request waited', async () => {
    const accepted = await exports.ask(ada, { type: 'device_logs', format: 'csv' });
    expect(accepted.status).toBe(202);
    expect(accepted.headers.get('location')).toBe(`/api/v1/exports/${accepted.body.id}`);
    const waited = await exports.ask(ada, { type: 'device_logs', format: 'csv' }, { waitSeconds: 20 });
    expect(waited.status).toBe(200);
    expect(waited.body).toMatchObject({ state: 'COMPLETED', progress: { percent: 100 }, snapshotAt: null });
    const kept = Date.parse(waited.body.expiresAt!) - Date.parse(waited.body.finishedAt!);
    expect(kept).toBe(24 * 3_600_000);
  });

  it('answers the same report again for five minutes, and a new one to who asks for that', async () => {
    const report = { type: 'device_report', format: 'json' };
    const first = await exports.made(ada, report);
    expect(first.snapshotAt).not.toBeNull();
    const again = await exports.ask(ada, report);
    expect({ status: again.status, id: again.body.id }).toEqual({ status: 200, id: first.id });
    const fresh = await exports.ask(ada, report, { headers: { 'cache-control': 'max-age=0' } });
    expect(fresh.body.id).not.toBe(first.id);
    await exports.ended(ada, fresh.body.id);
    await sql.rows(`UPDATE exports SET snapshot_at = snapshot_at - interval '5 minutes' WHERE user_id = $1`, [ada.id]);
    const later = await exports.ask(ada, report);
    expect([first.id, fresh.body.id]).not.toContain(later.body.id);
  });

  it.each([
    [{ type: 'device_report', eventTypes: ['custom'] }, '/eventTypes', /belongs to device_logs$/],
    [{ type: 'users', from: '2026-01-01T00:00:00Z' }, '/from', /belongs to device_logs, usage_report, audit, my_data/],
    [{ type: 'device_logs', columns: ['id', 'recievedAt'] }, '/columns/1', /did you mean `receivedAt`/],
    [
      { type: 'device_logs', from: '2026-01-02T00:00:00+02:00', until: '2026-01-01T22:00:00Z' },
      '/until',
      /later than `from`/,
    ],
    [{ type: 'device_logs', deviceIds: [] }, '/deviceIds', /1 to 500/],
    [{ type: 'device_logs', timeZone: '+02:00' }, '/timeZone', /IANA/],
    [{ type: 'usage_report', timeZone: 'AET' }, '/timeZone', /IANA/],
  ])('refuses %j, and says what is wrong', async (body, pointer, detail) => {
    const who = body.type === 'users' ? admin : ada;
    const refused = await exports.ask(who, { format: 'csv', ...body });
    expect(refused.status).toBe(400);
    expect(refused.body.errors).toContainEqual({ pointer, detail: expect.stringMatching(detail) as unknown });
  });

  it('refuses the eleventh that waits', async () => {
    const person = await insertAccount(application);
    await sql.rows(
      `INSERT INTO exports (id, user_id, type, format, request, next_attempt_at)
       SELECT gen_random_uuid(), $1, 'my_data', 'csv', '{"timeZone": "UTC"}', now() + interval '1 hour' FROM generate_series(1, 9)`,
      [person.id],
    );
    const answers = await Promise.all([1, 2].map(() => exports.ask(person, { type: 'my_data', format: 'csv' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409]);
  });

  it('is told at the end by one mail, unless the request waited or the person wants none', async () => {
    const person = await insertAccount(application);
    const logs = { type: 'my_data', format: 'csv' };
    await exports.made(person, logs);
    const asked = await exports.ask(person, logs);
    const { subject, text } = await server.nextTo(person.email);
    expect(subject).toBe('Your export is ready: my data');
    expect(text).toContain(`/exports/${asked.body.id}`);
    await request(application.url, 'PATCH', '/api/v1/users/me/preferences', {
      token: person.accessToken,
      body: { notificationChannels: ['in_app'] },
    });
    const quiet = await exports.ask(person, logs);
    await exports.ended(person, quiet.body.id);
    const mails = await sql.rows('SELECT id FROM mails');
    await exports.made(person, logs);
    expect(await sql.rows('SELECT id FROM mails')).toHaveLength(mails.length);
    expect(server.mails.filter(({ to }) => to === person.email)).toEqual([]);
  });

  it('is told by mail to who asked, waited, and went before the end', async () => {
    const person = await insertAccount(application);
    const blocker = await Sql.open(application.databaseUrl);
    await blocker.rows('BEGIN');
    await blocker.rows('SELECT pg_current_xact_id()');
    const going = new AbortController();
    const waiting = fetch(`${application.url}/api/v1/exports`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${person.accessToken}`,
        'content-type': 'application/json',
        'idempotency-key': 'went-before-the-end',
        prefer: 'wait=30',
      },
      body: JSON.stringify({ type: 'device_logs', format: 'csv' }),
      signal: going.signal,
    }).catch(() => null);
    const isWaitedFor = async (): Promise<boolean | undefined> => {
      const [row] = await sql.rows<{ waits: boolean }>(
        'SELECT waited_until IS NOT NULL AS waits FROM exports WHERE user_id = $1',
        [person.id],
      );
      return row?.waits;
    };
    await eventually('the request waits', isWaitedFor);
    going.abort();
    expect(await waiting).toBeNull();
    await eventually('no one waits', async () => (await isWaitedFor()) === false);
    await blocker.rows('ROLLBACK');
    await blocker.end();
    expect((await server.nextTo(person.email)).subject).toBe('Your export is ready: device logs');
  });

  it('is told to nobody who was blocked meanwhile', async () => {
    const person = await insertAccount(application);
    const blocker = await Sql.open(application.databaseUrl);
    await blocker.rows('BEGIN');
    await blocker.rows('SELECT pg_current_xact_id()');
    const { body } = await exports.ask(person, { type: 'device_logs', format: 'csv' });
    await sql.rows('UPDATE users SET blocked_at = now() WHERE id = $1', [person.id]);
    await blocker.rows('ROLLBACK');
    await blocker.end();
    const state = async (): Promise<unknown> =>
      (await sql.rows(`SELECT state, error_code AS failure FROM exports WHERE id = $1`, [body.id]))[0];
    await eventually('it has failed', async () => ((await state()) as { state: string }).state === 'FAILED');
    expect(await state()).toEqual({ state: 'FAILED', failure: 'not_permitted' });
    await eventually(
      'no mail waits',
      async () => (await sql.rows(`SELECT 1 FROM mails WHERE status = 'PENDING'`)).length === 0,
    );
    expect(server.mails.filter(({ to }) => to === person.email)).toEqual([]);
  });

  it('is followed on the sockets of its owner, and on no other', async () => {
    const [hers, other] = await Promise.all(
      [ada, mallory].map(({ accessToken }) => Dashboard.signedIn(application.url, accessToken)),
    );
    const { body } = await exports.ask(ada, { type: 'my_data', format: 'csv' });
    const told = await eventually('its owner was told of the end', () =>
      hers!.heard.find(
        ({ name, payload }) => name === 'export_progress' && (payload as { state: string }).state === 'COMPLETED',
      ),
    );
    expect(told.payload).toMatchObject({ exportId: body.id, percent: 100 });
    expect(other!.heard.filter(({ name }) => name === 'export_progress')).toEqual([]);
    [hers, other].forEach((dashboard) => dashboard!.socket.disconnect());
  });
});
