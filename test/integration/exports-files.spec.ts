/** Files of exports as they are read and taken back, and who may not. */
import { createHash, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ExportsRepository } from '../../src/features/exports/exports.repository.js';
import { ExportRunsRepository } from '../../src/features/exports/runs/export-runs.repository.js';
import { FileStore } from '../../src/platform/storage/file-store.js';
import { createAccount, insertAccount, type InsertedAccount } from '../support/accounts.fixture.js';
import type { RegisteredDevice } from '../support/devices.fixture.js';
import { type ExportsClient, ExportsFixture } from '../support/exports.fixture.js';
import { holdLog } from '../support/log-horizon.js';
import { closedHours } from '../support/sharing.fixture.js';
import type { Sql } from '../support/sql.js';
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

/** A guest who may look at Ada's door, and has exported what it did. */
async function guestWithExport(): Promise<{ readonly guest: InsertedAccount; readonly id: string }> {
  const guest = await insertAccount(application);
  await sql.rows(
    `INSERT INTO device_shares (id, device_id, email, user_id, permission, granted_by, updated_at)
     VALUES (gen_random_uuid(), $1, $2, $3, 'view', $4, now())`,
    [door.id, guest.email, guest.id, ada.id],
  );
  const { id } = await exports.made(guest, { type: 'device_logs', format: 'csv' });
  return { guest, id };
}

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
    const [entries] = await sql.rows<{ count: number }>(
      `SELECT count(*)::int AS count FROM audit_entries WHERE action = 'export_downloaded' AND entity_id = $1`,
      [id],
    );
    expect(entries).toEqual({ count: 2 });
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
    for (const range of ['bytes=-999999', 'bytes=0-999999']) {
      expect(await (await exports.download(ada, id, { range })).text()).toBe(bytes.toString());
    }
    for (const range of ['bytes=5-2', 'bytes=abc', 'items=9-', 'bytes=0-1,4-5']) {
      const ignored = await exports.download(ada, id, { range });
      expect([range, ignored.status, (await ignored.text()).length]).toEqual([range, 200, bytes.toString().length]);
    }
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
    await sql.rows(`UPDATE exports SET expires_at = now() WHERE id = $1`, [id]);
    // At once, whether a worker has seen it or not.
    expect(await (await open()).json()).toMatchObject({ status: 410, code: 'export_expired' });
    expect((await exports.on(ada, 'GET', `/${id}`)).body.state).toBe('EXPIRED');
    await eventually(
      'the file is deleted',
      async () => !(await fixture.filesOf(id)).some((name) => name.endsWith('.csv')),
    );
  });

  it('is refused once a device in it is not shared any more, and so is the link', async () => {
    const { guest, id } = await guestWithExport();
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

  it('is refused while the hours of a guest are over, and is read again when they begin', async () => {
    const { guest, id } = await guestWithExport();
    const hours = (schedule: object | null): Promise<unknown> =>
      sql.rows('UPDATE device_shares SET schedule = $2 WHERE user_id = $1', [
        guest.id,
        schedule && JSON.stringify(schedule),
      ]);
    await hours(closedHours());
    const refused = await exports.on(guest, 'GET', `/${id}/download`);
    expect({ status: refused.status, code: refused.body.code }).toEqual({ status: 403, code: 'export_not_permitted' });
    await hours(null);
    expect((await exports.download(guest, id)).status).toBe(200);
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

describe('an attempt', () => {
  it('is replaced by no job that waited in the queue while it is alive, and by the next one when it is not', async () => {
    const runs = fixture.application.get(ExportRunsRepository);
    const [exportId, alive] = [
      randomUUID(),
      `UPDATE exports SET lease_until = now() + interval '1 hour' WHERE id = $1`,
    ];
    await sql.rows(
      `INSERT INTO exports (id, user_id, type, format, request, next_attempt_at)
       VALUES ($1, $2, 'my_data', 'csv', '{"timeZone": "UTC"}', now() + interval '1 hour')`,
      [exportId, ada.id],
    );
    expect(await runs.begin({ exportId, attempt: 1 })).toMatchObject({ state: 'RUNNING', attempts: 1, devices: null });
    await sql.rows(alive, [exportId]);
    expect(await runs.begin({ exportId, attempt: 2 })).toBeNull();
    expect((await runs.claimDue(100)).filter((due) => due.exportId === exportId)).toEqual([]);
    const progress = { rows: 7, estimatedRows: null, snapshotAt: null };
    const going = await runs.progress({ exportId, attempt: 1 }, progress);
    expect(going).toMatchObject({ rows: 7 });
    // They may be thousands, and are read again and again.
    const listed = await fixture.application.get(ExportsRepository).list(ada.id, 1, null);
    [going, ...listed].forEach((one) => {
      expect(one).not.toHaveProperty('devices');
    });
    await sql.rows(
      `UPDATE exports SET lease_until = now(), next_attempt_at = now() + interval '1 hour' WHERE id = $1`,
      [exportId],
    );
    expect(await runs.begin({ exportId, attempt: 2 })).toMatchObject({ attempts: 2 });
    expect(await runs.progress({ exportId, attempt: 1 }, progress)).toBeNull();
    expect(await runs.complete({ exportId, attempt: 1 }, 7, { size: 1, sha256: '' }, null)).toBeNull();
    await exports.on(ada, 'DELETE', `/${exportId}`);
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
    const release = await holdLog(application.databaseUrl);
    const waiting = await exports.ask(ada, { type: 'device_logs', format: 'csv' });
    const cancelled = await exports.on(ada, 'POST', `/${waiting.body.id}/cancel`);
    expect(cancelled.body).toMatchObject({ id: waiting.body.id, state: 'CANCELLED' });
    await release();
    const download = await exports.on(ada, 'GET', `/${waiting.body.id}/download`);
    expect({ status: download.status, code: download.body.code }).toEqual({ status: 409, code: 'export_not_ready' });
  });

  it('leaves no file of an old attempt, and one that cannot be deleted holds up no other', async () => {
    const made = [
      await exports.made(ada, { type: 'my_data', format: 'csv' }),
      await exports.made(ada, { type: 'my_data', format: 'ndjson' }),
    ];
    const ids = made.map(({ id }) => id);
    for (const id of ids) {
      const old = join(application.directory, 'files', 'exports', id, '1.json');
      await writeFile(old, 'of an attempt that was stopped for long');
    }
    const refused: string[] = [];
    const store = application.get(FileStore);
    const { deleteFolder } = store;
    const failing = jest.spyOn(store, 'deleteFolder').mockImplementation((folder) => {
      if (refused.length === 0) {
        refused.push(folder);
        return Promise.reject(new Error('Not now.'));
      }
      return deleteFolder.call(store, folder);
    });
    await sql.rows(`UPDATE exports SET state = 'EXPIRED', attempts = 9, next_attempt_at = now() WHERE id = ANY($1)`, [
      ids,
    ]);
    const left = async (): Promise<string[]> => (await Promise.all(ids.map((id) => fixture.filesOf(id)))).flat();
    await eventually('the files of the other one are deleted', async () => (await left()).length === 2);
    expect(refused).toHaveLength(1);
    failing.mockRestore();
    await sql.rows('UPDATE exports SET next_attempt_at = now() WHERE id = ANY($1)', [ids]);
    await eventually('its files are deleted later', async () => (await left()).length === 0);
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
    const open = ['PENDING', 'RUNNING'].map((state) => ({ exportId: randomUUID(), state }));
    for (const { exportId, state } of open) {
      await sql.rows(
        `INSERT INTO exports (id, user_id, type, format, request, state, attempts, next_attempt_at, lease_until)
         VALUES ($1, $2, 'my_data', 'csv', '{"timeZone": "UTC"}', $3, 1, now() + interval '1 hour', now() + interval '1 hour')`,
        [exportId, person.id, state],
      );
    }
    await sql.rows('DELETE FROM users WHERE id = $1', [person.id]);
    const runs = fixture.application.get(ExportRunsRepository);
    const running = { exportId: open[1]!.exportId, attempt: 1 };
    expect(await runs.progress(running, { rows: 7, estimatedRows: null, snapshotAt: null })).toBeNull();
    expect(await runs.complete(running, 7, { size: 1, sha256: '' }, null)).toBeNull();
    await eventually('its file is deleted', async () => (await fixture.filesOf(id)).length === 0);
    await eventually('what was not made never will be', async () => {
      const ids = open.map(({ exportId }) => exportId);
      const left = await sql.rows(
        `SELECT 1 FROM exports WHERE id = ANY($1) AND (state <> 'CANCELLED' OR finished_at IS NULL)`,
        [ids],
      );
      return left.length === 0;
    });
  });
});
