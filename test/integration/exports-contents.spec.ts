/** What is in the files of exports. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Papa from 'papaparse';
import { DATA_SETS } from '../../src/features/exports/data-sets/data-sets.js';
import { EXPORT_TYPES } from '../../src/features/exports/exports.types.js';
import { type Account, createAdmin, insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import type { RegisteredDevice } from '../support/devices.fixture.js';
import { registerDevice } from '../support/devices.fixture.js';
import { type ExportsClient, ExportsFixture, insertEvents } from '../support/exports.fixture.js';
import { scaled, SEED } from '../support/promise.js';
import { daysOf, RandomUsage, totalsOf, type UsageRow } from '../support/random-usage.js';
import { seededRandom } from '../support/seeded-random.js';
import { Sql } from '../support/sql.js';
import type { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

let fixture: ExportsFixture;
let application: TestApp;
let sql: Sql;
let exports: ExportsClient;
let admin: Account;
let ada: InsertedAccount;
let mallory: InsertedAccount;
let door: RegisteredDevice;

beforeAll(async () => {
  fixture = await ExportsFixture.start();
  ({ application, sql, client: exports, ada, mallory, door } = fixture);
  admin = await createAdmin(application);
});

afterAll(() => fixture.stop());

const rowsOf = (csv: string): Record<string, string>[] =>
  Papa.parse<Record<string, string>>(csv, { header: true, skipEmptyLines: true }).data;

async function attemptsOf(id: string): Promise<number> {
  const [row] = await sql.rows<{ attempts: number }>('SELECT attempts FROM exports WHERE id = $1', [id]);
  return row?.attempts ?? 0;
}

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

describe('a usage report', () => {
  it('equals the events and what analyses answer, whatever its edges, and with handovers within a quarter of an hour', async () => {
    const person = await insertAccount(application);
    const usage = await RandomUsage.insert(application, sql, person, scaled(1_500, 20_000));
    await eventually('all events are counted', async () => usage.isCounted());
    const random = seededRandom(SEED);
    const zones = ['Asia/Kathmandu', 'America/St_Johns', 'Europe/Berlin'];
    for (let run = 0; run < scaled(3, 90); run += 1) {
      const { from, until } = usage.period(run, random);
      const timeZone = zones[run % zones.length]!;
      const shown = { run, seed: SEED, from, until, timeZone };
      const text = await exports.text(person, { type: 'usage_report', format: 'json', from, until, timeZone });
      const report = JSON.parse(text) as UsageRow[];
      expect({ ...shown, report }).toEqual({ ...shown, report: await usage.ofEvents(from, until, timeZone) });
      expect({ ...shown, totals: totalsOf(report) }).toEqual({ ...shown, totals: await usage.analysed(from, until) });
    }
    // PostgreSQL may know older rules of a zone than Node, by which analyses find days.
    const [first, now, timeZone] = [usage.from, new Date().toISOString(), 'America/Edmonton'];
    const text = await exports.text(person, {
      type: 'usage_report',
      format: 'json',
      from: first,
      until: now,
      timeZone,
    });
    expect(daysOf(JSON.parse(text) as UsageRow[])).toEqual(await usage.analysedDays(first, now, timeZone));
  }, 120_000);

  it('has what is not counted yet, so that it shows the moment that it names', async () => {
    const person = await insertAccount(application);
    const { id: deviceId } = await registerDevice(application.url, person, 'Busy door');
    const counter = await Sql.open(application.databaseUrl);
    await counter.rows('BEGIN');
    await counter.rows(`SELECT FROM event_readers WHERE name = 'event_counts' FOR UPDATE`);
    try {
      await insertEvents(sql, { deviceId, ownerId: person.id }, 7);
      const [row] = JSON.parse(await exports.text(person, { type: 'usage_report', format: 'json' })) as UsageRow[];
      const [{ events }] = (await sql.rows<{ events: number }>(
        'SELECT count(*)::int AS events FROM events WHERE device_id = $1',
        [deviceId],
      )) as [{ events: number }];
      expect(row).toMatchObject({ deviceId, events, resolution: 'quarter' });
    } finally {
      await counter.rows('ROLLBACK');
      await counter.end();
    }
  });

  it('says of which days the hours were counted as a whole', async () => {
    const person = await insertAccount(application);
    const { id: deviceId } = await registerDevice(application.url, person, 'Old door');
    await sql.rows(
      `INSERT INTO event_counts (at, device_id, type, kind, count, minutes) VALUES
         ('2026-01-05T10:00Z', $1, 'motion_detected', '', 3, 60), ('2026-01-06T10:00Z', $1, 'motion_detected', '', 2, 15)`,
      [deviceId],
    );
    const period = { from: '2026-01-05T00:00:00Z', until: '2026-01-07T00:00:00Z' };
    const csv = await exports.text(person, {
      type: 'usage_report',
      format: 'csv',
      columns: ['day', 'motions', 'resolution'],
      ...period,
    });
    expect(csv).toBe('day,motions,resolution\r\n2026-01-05,3,hour\r\n2026-01-06,2,quarter\r\n');
    const cut = await exports.ask(person, {
      type: 'usage_report',
      format: 'csv',
      ...period,
      from: '2026-01-05T00:00:01Z',
    });
    expect([cut.status, cut.body.errors?.map(({ pointer }) => pointer)]).toEqual([400, ['/from']]);
  });
});
