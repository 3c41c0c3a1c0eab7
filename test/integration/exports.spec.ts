/** Exports as their owners ask for them and follow them. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, createAdmin, insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import { Dashboard } from '../support/dashboard.js';
import { type ExportsClient, ExportsFixture } from '../support/exports.fixture.js';
import { holdLog } from '../support/log-horizon.js';
import type { MailServer } from '../support/mail-server.js';
import { request } from '../support/rest.js';
import type { Sql } from '../support/sql.js';
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

beforeAll(async () => {
  fixture = await ExportsFixture.start();
  ({ application, sql, client: exports, ada, mallory, server } = fixture);
  admin = await createAdmin(application);
});

afterAll(() => fixture.stop());

const everyMailIsSent = (): Promise<unknown> =>
  eventually(
    'no mail waits',
    async () => (await sql.rows(`SELECT 1 FROM mails WHERE status = 'PENDING'`)).length === 0,
  );

/** Those that no test has read. */
const mailsTo = ({ email }: InsertedAccount): unknown[] => server.mails.filter(({ to }) => to === email);

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
    // One for which a request waits is held back until it is known whether that was answered.
    await everyMailIsSent();
    expect(mailsTo(person)).toEqual([]);
    await request(application.url, 'PATCH', '/api/v1/users/me/preferences', {
      token: person.accessToken,
      body: { notificationChannels: ['in_app'] },
    });
    const quiet = await exports.ask(person, logs);
    await exports.ended(person, quiet.body.id);
    await exports.made(person, logs);
    await everyMailIsSent();
    expect(mailsTo(person)).toEqual([]);
  });

  it('is told by mail to who asked, waited, and went before the end', async () => {
    const person = await insertAccount(application);
    const release = await holdLog(application.databaseUrl);
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
    await release();
    expect((await server.nextTo(person.email)).subject).toBe('Your export is ready: device logs');
  });

  it('is told by no mail to who waits longer than a process may be silent', async () => {
    const person = await insertAccount(application);
    const release = await holdLog(application.databaseUrl);
    const waiting = exports.ask(person, { type: 'device_logs', format: 'csv' }, { waitSeconds: 30 });
    const longer = `SELECT 1 FROM exports WHERE user_id = $1 AND waited_until > created_at + interval '6 seconds'`;
    await eventually('it is said again', async () => (await sql.rows(longer, [person.id])).length === 1);
    await release();
    expect((await waiting).status).toBe(200);
    await everyMailIsSent();
    expect(mailsTo(person)).toEqual([]);
  });

  it('is not told to a person who was blocked meanwhile', async () => {
    const person = await insertAccount(application);
    const release = await holdLog(application.databaseUrl);
    const { body } = await exports.ask(person, { type: 'device_logs', format: 'csv' });
    await sql.rows('UPDATE users SET blocked_at = now() WHERE id = $1', [person.id]);
    const state = async (): Promise<unknown> =>
      (await sql.rows(`SELECT state, error_code AS failure FROM exports WHERE id = $1`, [body.id]))[0];
    await eventually('it has failed', async () => ((await state()) as { state: string }).state === 'FAILED');
    await release();
    expect(await state()).toEqual({ state: 'FAILED', failure: 'not_permitted' });
    await everyMailIsSent();
    expect(mailsTo(person)).toEqual([]);
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
