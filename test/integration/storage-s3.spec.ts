/** Files at S3: what is sent and signed, and what becomes of the faults of a server. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { S3Storage } from '../../src/config/storage.js';
import { S3FileStore } from '../../src/platform/storage/s3-file-store.js';
import { StorageFullError, StorageUnavailableError } from '../../src/platform/storage/storage.errors.js';
import { freePort } from '../../tools/stack/ports.js';
import { S3Server, s3At } from '../support/s3-server.js';
import { signatureOf } from '../support/signature-v4.js';
import { ScriptedServer } from '../support/scripted-server.js';
import { eventually } from '../support/wait.js';

const CSV = { mediaType: 'text/csv; charset=utf-8' };
const KEY = 'tests/one.csv';
const SILENCE_MS = 200;
const BYTES = randomBytes(200_000);
const SHA256 = createHash('sha256').update(BYTES).digest('hex');

let folder: string;
let server: S3Server;
let scripted: ScriptedServer;
let files: S3FileStore;
/** Of the scripted server. */
let faulty: S3FileStore;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mortise-files-'));
  [server, scripted] = await Promise.all([S3Server.start(join(folder, 'server')), ScriptedServer.start()]);
  files = storeOf(server.settings);
  faulty = storeOf(s3At(scripted.url));
});
afterAll(async () => {
  files.onModuleDestroy();
  faulty.onModuleDestroy();
  scripted.stop();
  await server.stop();
  await rm(folder, { recursive: true });
});

function storeOf(settings: S3Storage): S3FileStore {
  const spoolFolder = join(folder, 'spool');
  return new S3FileStore(settings, { spoolFolder, answerWithinMs: SILENCE_MS, connectWithinMs: SILENCE_MS });
}

function spooled(): Promise<string[]> {
  return readdir(join(folder, 'spool', '.unfinished'));
}

const put = (store: S3FileStore, bytes = BYTES): Promise<unknown> => store.put(KEY, Readable.from([bytes]), CSV);

/** Every call that asks the server; for a body of that size the SDK asks first whether to send it. */
function everyCall(store: S3FileStore): Promise<PromiseSettledResult<unknown>[]> {
  return Promise.allSettled([
    put(store, Buffer.alloc(3_000_000)),
    store.read(KEY),
    store.stat(KEY),
    store.delete(KEY),
    store.check(),
  ]);
}

function reasonsOf(results: readonly PromiseSettledResult<unknown>[]): readonly unknown[] {
  return results.map((result) => (result.status === 'rejected' ? (result.reason as unknown) : 'no error'));
}

function refusal(status: number, code: string): (response: ServerResponse) => void {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(
      `<Error><Code>${code}</Code><Message>S3RVER signed it</Message><StringToSign>S3RVER</StringToSign></Error>`,
    );
  };
}

describe('A file at S3', () => {
  it('is stored as the bytes that were sent, and nothing else', async () => {
    await put(files);
    expect((await server.stored(KEY)).equals(BYTES)).toBe(true);
  });

  it('is sent as one request, whose size and checksum are known and signed', async () => {
    scripted.answer((response) => response.end());
    await put(faulty);
    const [request, ...others] = scripted.requests;
    if (!request || others.length > 0) {
      throw new Error(`It was sent as ${String(others.length + 1)} requests.`);
    }
    const { method, url, headers, body } = request;
    expect([method, url.split('?')[0], body.equals(BYTES)]).toEqual(['PUT', `/mortise/${KEY}`, true]);
    expect(headers).toMatchObject({
      'content-length': '200000',
      'content-type': CSV.mediaType,
      'x-amz-content-sha256': SHA256,
      'x-amz-meta-sha256': SHA256,
    });
    expect(headers.authorization).toMatch(/SignedHeaders=[^,]*x-amz-content-sha256/);
    expect(headers.authorization).toContain(`Signature=${signatureOf(request, 'S3RVER')}`);
    expect(headers).not.toHaveProperty('content-encoding');
    expect(headers).not.toHaveProperty('transfer-encoding');
  });

  it('is deleted with more in its folder than one answer lists', async () => {
    const list = (key: string, isMore: boolean): string =>
      `<ListBucketResult><IsTruncated>${String(isMore)}</IsTruncated><Contents><Key>${key}</Key></Contents></ListBucketResult>`;
    scripted.answer(
      (response) => response.writeHead(200, { 'content-type': 'application/xml' }).end(list('tests/1.csv', true)),
      (response) => response.writeHead(204).end(),
      (response) => response.writeHead(200, { 'content-type': 'application/xml' }).end(list('tests/2.csv', false)),
      (response) => response.writeHead(204).end(),
    );
    await faulty.deleteFolder('tests');
    expect(scripted.requests.map(({ method, url }) => [method, new URL(url, scripted.url).pathname])).toEqual([
      ['GET', '/mortise/'],
      ['DELETE', '/mortise/tests/1.csv'],
      ['GET', '/mortise/'],
      ['DELETE', '/mortise/tests/2.csv'],
    ]);
    expect(scripted.requests[0]!.url).toContain('prefix=tests%2F');
  });

  it('is sent again, from its first byte, to a server that is busy', async () => {
    scripted.answer(
      refusal(503, 'SlowDown'),
      (response) => response.destroy(),
      (response) => response.end(),
    );
    await put(faulty);
    expect(scripted.requests.map(({ body }) => body.equals(BYTES))).toEqual([true, true, true]);
  });

  it.each([
    [507, 'InsufficientStorage'],
    [507, 'XMinioStorageFull'],
    [403, 'QuotaExceeded'],
    [400, 'EntityTooLarge'],
  ])('finds the storage full at %d %s, and is not sent again', async (status, code) => {
    scripted.answer(refusal(status, code));
    await expect(put(faulty)).rejects.toThrow(StorageFullError);
    expect(scripted.requests).toHaveLength(1);
    expect(await spooled()).toEqual([]);
  });

  it.each([
    [403, 'SignatureDoesNotMatch', 'S3 says SignatureDoesNotMatch 403.', 1],
    [404, 'NoSuchBucket', 'S3 says NoSuchBucket 404.', 1],
    [500, 'InternalError', 'S3 says InternalError 500.', 3],
    [400, 'two words\nand a line', 'S3 says 400.', 1],
  ])('says of %d %j no more than a word', async (status, code, expected, attempts) => {
    scripted.answer(refusal(status, code));
    const error = await put(faulty).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StorageUnavailableError);
    expect((error as Error).message).toBe(`The storage is not available: ${expected}`);
    expect((error as Error).cause).toBeUndefined();
    expect(scripted.requests).toHaveLength(attempts);
  });

  it('is not sent on when its writing is aborted', async () => {
    scripted.answer();
    const aborting = new AbortController();
    const writing = faulty.put(KEY, Readable.from([BYTES]), { ...CSV, signal: aborting.signal });
    setTimeout(() => {
      aborting.abort(new Error('No longer wanted.'));
    }, SILENCE_MS / 2);
    await expect(writing).rejects.toThrow('No longer wanted.');
    expect(scripted.requests).toHaveLength(1);
    expect(await spooled()).toEqual([]);
  });

  it('is given up when sending it takes too long, however often it could begin again', async () => {
    scripted.answer();
    const slow = new S3FileStore(s3At(scripted.url), { spoolFolder: join(folder, 'spool'), sendWithinMs: 100 });
    const error = await slow.put(KEY, Readable.from([Buffer.from('little')]), CSV).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StorageUnavailableError);
    expect((error as Error).message).toContain('S3 takes a file too slowly.');
    expect(scripted.requests).toHaveLength(1);
    expect(await spooled()).toEqual([]);
    slow.onModuleDestroy();
  });

  it('is not waited for where the server says nothing, is away, or knows another account', async () => {
    scripted.answer();
    const stranger = storeOf({ ...server.settings, accessKeyId: 'stranger' });
    const away = storeOf(s3At(`http://127.0.0.1:${String(await freePort())}`));
    const results = await Promise.all([faulty, away, stranger].map(everyCall));
    const reasons = results.flatMap(reasonsOf);
    expect(reasons.map((reason) => (reason as Error).constructor)).toEqual(Array(15).fill(StorageUnavailableError));
    const texts = results.map((result) => String(reasonsOf(result)[0]));
    expect(texts[0]).toContain('S3 says nothing for 200 ms.');
    // Jest has a realm of its own, whose errors the SDK does not know: ECONNREFUSED is said by a process only.
    expect(texts[1]).toContain('S3 says Error');
    expect(texts[2]).toContain('InvalidAccessKeyId 403');
    expect(await spooled()).toEqual([]);
  });

  it('breaks off when the server falls silent in it, and does not when its reader is slow', async () => {
    scripted.answer((response) => {
      response.writeHead(200, { 'content-length': '10' }).write('half');
    });
    await expect(buffer(await faulty.read(KEY))).rejects.toThrow(StorageUnavailableError);

    await files.put(KEY, Readable.from([randomBytes(4_000_000)]), CSV);
    let size = 0;
    for await (const chunk of await files.read(KEY)) {
      if (size === 0) {
        await pause(2 * SILENCE_MS);
      }
      size += (chunk as Buffer).length;
    }
    expect(size).toBe(4_000_000);
  });

  it('is let go by a reader that wants no more of it, or nothing', async () => {
    let open = 0;
    scripted.answer((response) => {
      open += 1;
      response
        .on('close', () => (open -= 1))
        .writeHead(200, { 'content-length': '10' })
        .write('half');
    });
    const [some, none] = [await faulty.read(KEY), await faulty.read(KEY)];
    some.once('data', () => some.destroy());
    none.destroy();
    await eventually('both are let go', () => open === 0 && scripted.requests.length === 2);
  });

  it('is empty beyond its end, and is never another part than was asked for', async () => {
    scripted.answer(refusal(416, 'InvalidRange'));
    expect(await buffer(await faulty.read(KEY, { start: 0, end: 1 }))).toHaveLength(0);
    const range = { start: 2, end: 3 };
    scripted.answer((response) => response.end('abcdef'));
    await expect(faulty.read(KEY, range)).rejects.toThrow('does not send the range');
    scripted.answer((response) => response.writeHead(206, { 'content-range': 'bytes 0-5/6' }).end('abcdef'));
    await expect(faulty.read(KEY, range)).rejects.toThrow('does not send the range');
  });

  it('is no file of ours without its checksum', async () => {
    scripted.answer((response) => response.end());
    await expect(faulty.stat(KEY)).rejects.toThrow('a file is not as it was written');
  });

  it('is loaded by its link, under its name and with its type', async () => {
    await put(files);
    const fileName = 'Türen "1" \r\n%2f../ü.csv';
    const link = await files.link(KEY, { fileName, mediaType: 'text/csv; header=present', expiresInMs: 300_000 });
    const answer = await fetch(link ?? '');
    expect(Buffer.from(await answer.arrayBuffer()).equals(BYTES)).toBe(true);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/csv; header=present',
      'content-disposition':
        'attachment; filename="T_ren _1_ ___2f..__.csv"; filename*=UTF-8\'\'T%C3%BCren%20%221%22%20__%252f.._%C3%BC.csv',
    });
    expect(new URL(link ?? '').searchParams.get('X-Amz-Expires')).toBe('300');
  });

  it('has no link where clients do not reach the server', async () => {
    const store = storeOf({ ...server.settings, links: false });
    expect(await store.link(KEY, { ...CSV, fileName: 'one.csv', expiresInMs: 1_000 })).toBeNull();
  });
});
