/** Attempts to make exports, and their files in a bucket of a real S3 server. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ExportFileWriter } from '../../src/features/exports/runs/export-file-writer.js';
import { SnapshotReader } from '../../src/platform/prisma/snapshot-reader.js';
import { BusyError } from '../../src/platform/process/semaphore.js';
import { FileStore } from '../../src/platform/storage/file-store.js';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { type ExportsClient, ExportsFixture } from '../support/exports.fixture.js';
import { S3Server } from '../support/s3-server.js';
import { eventually } from '../support/wait.js';

let folder: string;
let server: S3Server;
let fixture: ExportsFixture;
let exports: ExportsClient;
let ada: InsertedAccount;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mortise-exports-'));
  server = await S3Server.start(folder);
  const { bucket, accessKeyId, secretAccessKey } = server.settings;
  fixture = await ExportsFixture.start({
    STORAGE_DRIVER: 's3',
    STORAGE_S3_ENDPOINT: server.url,
    STORAGE_S3_BUCKET: bucket,
    STORAGE_S3_ACCESS_KEY_ID: accessKeyId,
    STORAGE_S3_SECRET_ACCESS_KEY: secretAccessKey(),
    STORAGE_S3_LINKS: '1',
  });
  ({ client: exports, ada } = fixture);
});
afterAll(async () => {
  await fixture.stop();
  await server.stop();
  await rm(folder, { recursive: true });
});

interface Attempts {
  readonly attempts: number;
  readonly failures: number;
}

async function attemptsOf(id: string): Promise<Attempts> {
  const [row] = await fixture.sql.rows<Attempts>(`SELECT attempts, failures FROM exports WHERE id = $1`, [id]);
  return row!;
}

/** One whose next failure is its last. */
async function lastTry(): Promise<string> {
  const id = randomUUID();
  await fixture.sql.rows(
    `INSERT INTO exports (id, user_id, type, format, request, failures) VALUES ($1, $2, 'my_data', 'csv', '{"timeZone": "UTC"}', 5)`,
    [id, ada.id],
  );
  return id;
}

describe('an attempt', () => {
  it('is no failure when it had no turn to read, and is one when the database was out of reach', async () => {
    const reader = fixture.application.get(SnapshotReader);
    const refusing = jest.spyOn(reader, 'run').mockRejectedValueOnce(new BusyError());
    const patient = await lastTry();
    expect(await exports.ended(ada, patient)).toMatchObject({ state: 'COMPLETED' });
    expect(await attemptsOf(patient)).toMatchObject({ attempts: 2, failures: 5 });
    refusing.mockRejectedValueOnce(new Error('connect ECONNREFUSED'));
    const away = await lastTry();
    expect(await exports.ended(ada, away)).toMatchObject({ state: 'FAILED', failure: 'internal' });
    refusing.mockRestore();
  });

  it('is given back when its process stops, and the next one goes on', async () => {
    const store = fixture.application.get(FileStore);
    const { promise: begun, resolve: begin } = Promise.withResolvers<undefined>();
    const storing = jest.spyOn(store, 'put').mockImplementationOnce((_key, _source, { signal }) => {
      begin(undefined);
      return new Promise((_resolve, reject) => {
        signal!.addEventListener('abort', () => {
          reject(signal!.reason as Error);
        });
      });
    });
    const { body } = await exports.ask(ada, { type: 'device_logs', format: 'csv' });
    await begun;
    fixture.application.get(ExportFileWriter).onModuleDestroy();
    expect(await exports.ended(ada, body.id)).toMatchObject({ state: 'COMPLETED' });
    expect(await attemptsOf(body.id)).toMatchObject({ attempts: 2, failures: 0 });
    storing.mockRestore();
  });
});

describe('an export at S3', () => {
  it('is made, read in parts and by its link, and deleted', async () => {
    const { id, size, sha256 } = await exports.made(ada, { type: 'device_logs', format: 'csv' });
    const key = `exports/${id}/1.csv`;
    const stored = await server.stored(key);
    expect([stored.length, createHash('sha256').update(stored).digest('hex')]).toEqual([size, sha256]);
    const whole = Buffer.from(await (await exports.download(ada, id)).arrayBuffer());
    expect(whole.equals(stored)).toBe(true);
    const part = await exports.download(ada, id, { range: 'bytes=100-199' });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 100-199/${String(size)}`]);
    expect(Buffer.from(await part.arrayBuffer()).equals(stored.subarray(100, 200))).toBe(true);

    const { body } = await exports.on<{ url: string }>(ada, 'POST', `/${id}/link`);
    const { pathname, search } = new URL(body.url);
    const open = (method: string, signed = search): Promise<Response> =>
      fetch(fixture.application.url + pathname + signed, { method, redirect: 'manual' });
    const found = await open('GET');
    const location = new URL(found.headers.get('location') ?? '');
    expect([found.status, location.origin, location.searchParams.get('X-Amz-Expires')]).toEqual([
      307,
      server.url,
      '60',
    ]);
    const loaded = await fetch(location);
    expect(loaded.headers.get('content-disposition')).toMatch(/filename="device-logs-[\d-]+\.csv"/);
    expect(Buffer.from(await loaded.arrayBuffer()).equals(stored)).toBe(true);
    expect((await open('HEAD')).headers.get('content-length')).toBe(String(size));
    expect((await open('GET', search.replace(/.{2}$/, '__'))).status).toBe(403);
    const entries = await fixture.sql.rows<{ after: object }>(
      `SELECT after FROM audit_entries WHERE action = 'export_downloaded' AND entity_id = $1 AND after->>'by' = 'link'`,
      [id],
    );
    expect(entries.map(({ after }) => after)).toEqual([{ type: 'device_logs', by: 'link', from: 'store' }]);

    expect((await exports.on(ada, 'DELETE', `/${id}`)).status).toBe(204);
    await eventually('its file is deleted', () =>
      server.stored(key).then(
        () => false,
        () => true,
      ),
    );
    expect((await open('GET')).status).toBe(403);
  });
});
