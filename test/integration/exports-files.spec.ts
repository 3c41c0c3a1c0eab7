/** Files of exports as they are read and taken back, and who may not. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createAccount, insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import type { RegisteredDevice } from '../support/devices.fixture.js';
import { type ExportsClient, ExportsFixture } from '../support/exports.fixture.js';
import { Sql } from '../support/sql.js';
import type { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

let fixture: ExportsFixture;
let application: TestApp;
let sql: Sql;
let exports: ExportsClient;
let ada: InsertedAccount;
let mallory: InsertedAccount;
let door: RegisteredDevice;
let his: RegisteredDevice;

beforeAll(async () => {
  fixture = await ExportsFixture.start();
  ({ application, sql, client: exports, ada, mallory, door, his } = fixture);
});

afterAll(() => fixture.stop());

describe('reading it', () => {
  it('resumes where it was cut off, and only in the same file', async () => {
    const { id, size, sha256 } = await exports.made(ada, { type: 'device_logs', format: 'ndjson' });
    const whole = await exports.download(ada, id);
    const bytes = Buffer.from(await whole.arrayBuffer());
    expect(bytes).toHaveLength(size!);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
    expect(whole.headers.get('content-disposition')).toMatch(/^attachment; filename="device-logs-[\d-]+\.ndjson";/);
    const etag = whole.headers.get('etag')!;
    const rest = await exports.download(ada, id, { range: 'bytes=100-', 'if-range': etag });
    expect({ status: rest.status, range: rest.headers.get('content-range') }).toEqual({
      status: 206,
      range: `bytes 100-${String(size! - 1)}/${String(size)}`,
    });
    expect(Buffer.from(await rest.arrayBuffer())).toEqual(bytes.subarray(100));
    const last = await exports.download(ada, id, { range: 'bytes=-7', 'accept-encoding': 'gzip, br' });
    expect(await last.text()).toBe(bytes.subarray(-7).toString());
    const changed = await exports.download(ada, id, { range: 'bytes=100-', 'if-range': '"another"' });
    expect(changed.status).toBe(200);
    await changed.arrayBuffer();
    const beyond = await exports.download(ada, id, { range: `bytes=${String(size)}-` });
    expect({ status: beyond.status, range: beyond.headers.get('content-range') }).toEqual({
      status: 416,
      range: `bytes */${String(size)}`,
    });
    const head = await fetch(`${application.url}/api/v1/exports/${id}/download`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${ada.accessToken}` },
    });
    expect({ status: head.status, length: head.headers.get('content-length') }).toEqual({
      status: 200,
      length: String(size),
    });
  });

  it('works by a link without a session, until that is changed or its time is over', async () => {
    const { id } = await exports.made(ada, { type: 'device_logs', format: 'csv' });
    const { status, body } = await exports.on<{ url: string; expiresAt: string }>(ada, 'POST', `/${id}/link`);
    expect(status).toBe(201);
    const url = new URL(body.url);
    const open = (query = url.search): Promise<Response> => fetch(application.url + url.pathname + query);
    expect(await (await open()).text()).toBe(await (await exports.download(ada, id)).text());
    const entries = await sql.rows<{ by: string }>(
      `SELECT after->>'by' AS by FROM audit_entries WHERE action = 'export_downloaded' AND entity_id = $1 AND actor = $2 ORDER BY id`,
      [id, `user:${ada.id}`],
    );
    expect(entries.map(({ by }) => by)).toEqual(['link', 'session']);
    const later = url.search.replace(/expires=\d+/, `expires=${String(Math.floor(Date.now() / 1_000) + 900)}`);
    expect((await open(later)).status).toBe(403);
    expect((await open(url.search.replace(/.{2}$/, '__'))).status).toBe(403);
    await sql.rows(`UPDATE exports SET finished_at = finished_at - interval '1 day' WHERE id = $1`, [id]);
    const gone = await eventually('the file has expired', async () => {
      const answer = await open();
      return answer.status !== 200 && answer;
    });
    expect(await gone.json()).toMatchObject({ status: 410, code: 'export_expired' });
    expect((await exports.on(ada, 'GET', `/${id}`)).body.state).toBe('EXPIRED');
    await eventually(
      'the file is deleted',
      async () => !(await fixture.filesOf(id)).some((name) => name.endsWith('.csv')),
    );
  });

  it('is refused once a device in it is not shared any more, and so is the link', async () => {
    const guest = await insertAccount(application);
    await sql.rows(
      `INSERT INTO device_shares (id, device_id, email, user_id, permission, granted_by, updated_at)
       VALUES (gen_random_uuid(), $1, $2, $3, 'view', $4, now())`,
      [door.id, guest.email, guest.id, ada.id],
    );
    const { id } = await exports.made(guest, { type: 'device_logs', format: 'csv' });
    const { body } = await exports.on<{ url: string }>(guest, 'POST', `/${id}/link`);
    expect((await exports.download(guest, id)).status).toBe(200);
    await sql.rows('DELETE FROM device_shares WHERE user_id = $1', [guest.id]);
    const { pathname, search } = new URL(body.url);
    const refused = await Promise.all([exports.download(guest, id), fetch(application.url + pathname + search)]);
    for (const answer of refused) {
      expect(await answer.json()).toMatchObject({ status: 403, code: 'export_not_permitted' });
    }
    expect((await exports.ask(guest, { type: 'device_logs', format: 'csv', deviceIds: [door.id] })).status).toBe(404);
  });

  it('is for its owner alone: another person finds nothing, and cannot take it back', async () => {
    const { id } = await exports.made(ada, { type: 'device_logs', format: 'csv' });
    const answers = await Promise.all([
      exports.on(mallory, 'GET', `/${id}`),
      exports.on(mallory, 'GET', `/${id}/download`),
      exports.on(mallory, 'POST', `/${id}/link`),
      exports.on(mallory, 'POST', `/${id}/cancel`),
      exports.on(mallory, 'DELETE', `/${id}`),
      exports.on(mallory, 'GET', '/not-an-id'),
    ]);
    expect(answers.map(({ body }) => body.code)).toEqual(answers.map(() => 'export_not_found'));
    const listed = await exports.on<{ items: { id: string }[] }>(mallory, 'GET', '');
    expect(listed.body.items.filter((one) => one.id === id)).toEqual([]);
    expect((await exports.on(ada, 'GET', `/${id}`)).body.state).toBe('COMPLETED');
    const other = await exports.ask(mallory, { type: 'device_logs', format: 'csv', deviceIds: [his.id, door.id] });
    expect({ status: other.status, code: other.body.code }).toEqual({ status: 404, code: 'not_found' });
  });
});

describe('taking it back', () => {
  it('cancels what waits, and deletes an export with its file', async () => {
    const { id } = await exports.made(ada, { type: 'my_data', format: 'csv' });
    expect(await fixture.filesOf(id)).not.toEqual([]);
    const ended = await exports.on(ada, 'POST', `/${id}/cancel`);
    expect({ status: ended.status, code: ended.body.code }).toEqual({ status: 409, code: 'export_ended' });
    expect((await exports.on(ada, 'DELETE', `/${id}`)).status).toBe(204);
    expect((await exports.on(ada, 'GET', `/${id}`)).status).toBe(404);
    await eventually('its file is deleted', async () => (await fixture.filesOf(id)).length === 0);
    const blocker = await Sql.open(application.databaseUrl);
    await blocker.rows('BEGIN');
    await blocker.rows('SELECT pg_current_xact_id()');
    const waiting = await exports.ask(ada, { type: 'device_logs', format: 'csv' });
    const cancelled = await exports.on(ada, 'POST', `/${waiting.body.id}/cancel`);
    expect(cancelled.body).toMatchObject({ id: waiting.body.id, state: 'CANCELLED' });
    await blocker.rows('ROLLBACK');
    await blocker.end();
    const download = await exports.on(ada, 'GET', `/${waiting.body.id}/download`);
    expect({ status: download.status, code: download.body.code }).toEqual({ status: 409, code: 'export_not_ready' });
  });

  it('lists mine, newest first, page by page', async () => {
    const first = await exports.on<{ items: { id: string }[]; nextCursor: string }>(ada, 'GET', '?limit=2');
    const second = await exports.on<{ items: { id: string }[] }>(
      ada,
      'GET',
      `?limit=2&cursor=${first.body.nextCursor}`,
    );
    const ids = [...first.body.items, ...second.body.items].map(({ id }) => id);
    expect(new Set(ids).size).toBe(4);
    expect(ids).toEqual([...ids].sort().reverse());
  });

  it('keeps no file of an account that is gone', async () => {
    const person = await createAccount(application.url, 'gone');
    const { id } = await exports.made(person, { type: 'my_data', format: 'csv' });
    await sql.rows('DELETE FROM users WHERE id = $1', [person.id]);
    await eventually('its file is deleted', async () => (await fixture.filesOf(id)).length === 0);
  });
});
