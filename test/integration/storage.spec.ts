/** What is promised of stored files, asked of both drivers: a folder, and a bucket of a real S3 server. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FileStore } from '../../src/platform/storage/file-store.js';
import { LocalFileStore } from '../../src/platform/storage/local-file-store.js';
import { S3FileStore } from '../../src/platform/storage/s3-file-store.js';
import {
  FileNotFoundError,
  FileTooLargeError,
  InvalidFileKeyError,
} from '../../src/platform/storage/storage.errors.js';
import { S3Server } from '../support/s3-server.js';
import { eventually } from '../support/wait.js';

const CSV = { mediaType: 'text/csv; charset=utf-8' };
const MEGABYTE = 1_024 * 1_024;
const LARGE_FILE = join(import.meta.dirname, '..', 'support', 'large-file-process.mjs');
const DRIVERS = ['local', 's3'] as const;

let folder: string;
let server: S3Server;
let stores: Readonly<Record<(typeof DRIVERS)[number], FileStore>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mortise-files-'));
  server = await S3Server.start(join(folder, 'server'));
  await Promise.all(DRIVERS.map((driver) => mkdir(join(folder, driver))));
  stores = {
    local: new LocalFileStore(join(folder, 'local')),
    s3: new S3FileStore(server.settings, { spoolFolder: join(folder, 's3') }),
  };
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

async function* source(...pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) {
    await turn();
    yield piece;
  }
}

function described(...pieces: readonly Buffer[]): { readonly size: number; readonly sha256: string } {
  const bytes = Buffer.concat(pieces);
  return { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** What is being written, or was left behind. */
async function unfinishedOf(driver: string): Promise<string[]> {
  const entries = await readdir(join(folder, driver), { recursive: true });
  return entries.filter((path) => path.startsWith('.unfinished/'));
}

describe.each(DRIVERS)('A file in the store "%s"', (driver) => {
  const files = (): FileStore => stores[driver];

  it('is read as it was written, with its size and checksum', async () => {
    const pieces = [randomBytes(70_000), Buffer.alloc(0), randomBytes(300_000), Buffer.from('end\n')];
    expect(await files().put('tests/one.csv', source(...pieces), CSV)).toEqual(described(...pieces));
    expect(await files().stat('tests/one.csv')).toEqual(described(...pieces));
    expect((await buffer(await files().read('tests/one.csv'))).equals(Buffer.concat(pieces))).toBe(true);
    expect(await unfinishedOf(driver)).toEqual([]);
  });

  it.each([
    ['the first ones', 0, 1, 'ab'],
    ['one in the middle', 3, 3, 'd'],
    ['some of them', 2, 4, 'cde'],
    ['the last one', 5, 5, 'f'],
    ['more than there is', 4, 900, 'ef'],
    ['nothing beyond the end', 6, 9, ''],
  ])('is read in part: %s', async (_, start, end, expected) => {
    await files().put('tests/letters', source(Buffer.from('abcdef')), CSV);
    expect((await buffer(await files().read('tests/letters', { start, end }))).toString()).toBe(expected);
  });

  it('is not read by a range that is none', async () => {
    await files().put('tests/letters', source(Buffer.from('abcdef')), CSV);
    for (const [start, end] of [
      [3, 2],
      [-1, 2],
      [0.5, 2],
      [0, NaN],
    ] as const) {
      await expect(files().read('tests/letters', { start, end })).rejects.toThrow(RangeError);
    }
  });

  it('may be empty', async () => {
    expect(await files().put('tests/empty', source(), CSV)).toEqual(described());
    expect(await files().stat('tests/empty')).toEqual(described());
    expect(await buffer(await files().read('tests/empty'))).toHaveLength(0);
  });

  it('takes the place of the one that had its key, and what is read of that one goes on', async () => {
    const [older, newer] = [randomBytes(2 * MEGABYTE), randomBytes(10)];
    await files().put('tests/replaced', source(older), CSV);
    const reading = driver === 'local' ? await files().read('tests/replaced') : undefined;
    await files().put('tests/replaced', source(newer), CSV);
    expect(await files().stat('tests/replaced')).toEqual(described(newer));
    expect(await buffer(await files().read('tests/replaced'))).toEqual(newer);
    expect(reading === undefined || (await buffer(reading)).equals(older)).toBe(true);
  });

  it('is deleted, once or twice', async () => {
    await files().put('tests/deleted', source(Buffer.from('x')), CSV);
    await files().delete('tests/deleted');
    await files().delete('tests/deleted');
    expect(await files().stat('tests/deleted')).toBeNull();
    await expect(files().read('tests/deleted')).rejects.toThrow(FileNotFoundError);
  });

  it('is deleted with all of its folder, and with no other', async () => {
    const keys = [
      'tests/folder/1.csv',
      'tests/folder/2.csv',
      'tests/folder/deep/3.csv',
      'tests/folders',
      'tests/folder-2/1',
    ];
    for (const key of keys) {
      await files().put(key, source(Buffer.from(key)), CSV);
    }
    await files().deleteFolder('tests/folder');
    await files().deleteFolder('tests/folder');
    await files().deleteFolder('never/was');
    const left = await Promise.all(keys.map(async (key) => ((await files().stat(key)) ? key : null)));
    expect(left).toEqual([null, null, null, 'tests/folders', 'tests/folder-2/1']);
    expect(driver === 's3' || !(await readdir(join(folder, driver, 'tests'))).includes('folder')).toBe(true);
  });

  it('is not there when its source throws, and the error is that of the source', async () => {
    const fault = Object.assign(new Error('The source broke.'), { code: 'ENOSPC' });
    async function* breaking(): AsyncGenerator<Buffer> {
      yield* source(randomBytes(MEGABYTE));
      throw fault;
    }
    await expect(files().put('tests/broken', breaking(), CSV)).rejects.toBe(fault);
    expect(await files().stat('tests/broken')).toBeNull();
    expect(await unfinishedOf(driver)).toEqual([]);
  });

  it('is not there when its writing is aborted while the source is silent, and the source is told to end', async () => {
    const aborting = new AbortController();
    const silent = new Readable({ read: () => undefined });
    silent.push(randomBytes(MEGABYTE));
    const writing = files().put('tests/aborted', silent, { ...CSV, signal: aborting.signal });
    await eventually('all that came is written', async () => {
      const [path] = await unfinishedOf(driver);
      return path !== undefined && (await stat(join(folder, driver, path))).size === MEGABYTE;
    });
    aborting.abort(new Error('No longer wanted.'));
    await expect(writing).rejects.toThrow('No longer wanted.');
    expect(silent.destroyed).toBe(true);
    expect(await files().stat('tests/aborted')).toBeNull();
    expect(await unfinishedOf(driver)).toEqual([]);
  });

  it('does not begin when its writing was aborted before', async () => {
    const signal = AbortSignal.abort(new Error('Never wanted.'));
    await expect(files().put('tests/aborted', source(), { ...CSV, signal })).rejects.toThrow('Never wanted.');
  });

  it('has no more bytes than it may have', async () => {
    const pieces = [Buffer.alloc(600), Buffer.alloc(400)];
    await files().put('tests/limited', source(...pieces), { ...CSV, maxBytes: 1_000 });
    await expect(files().put('tests/more', source(...pieces), { ...CSV, maxBytes: 999 })).rejects.toThrow(
      FileTooLargeError,
    );
    expect(await files().stat('tests/more')).toBeNull();
    expect(await unfinishedOf(driver)).toEqual([]);
  });

  it.each([
    '',
    '.',
    '..',
    '/',
    '/etc/passwd',
    '../outside',
    'a/../../outside',
    'a/./b',
    'a//b',
    'a/',
    '.unfinished/x',
    'a\0b',
    'a\\b',
    'A',
    'ä',
    'a b',
    'a\nb',
    'a?x=1',
    'a%2f..',
    `${'a/'.repeat(127)}bc`,
  ])('has no key such as %j', async (key) => {
    const refused = await Promise.allSettled([
      files().put(key, source(), CSV),
      files().read(key),
      files().stat(key),
      files().delete(key),
      files().deleteFolder(key),
      driver === 'local'
        ? Promise.reject(new InvalidFileKeyError(key))
        : files().link(key, { ...CSV, fileName: 'x', expiresInMs: 1_000 }),
    ]);
    const reasons = refused.map((result) =>
      result.status === 'rejected' ? (result.reason as Error).constructor : null,
    );
    expect(reasons).toEqual(Array(6).fill(InvalidFileKeyError));
  });

  it('may be large: little of it is in memory at a time', async () => {
    const { secretAccessKey, ...settings } = server.settings;
    const s3 = JSON.stringify({ ...settings, secret: secretAccessKey() });
    const args = ['--expose-gc', LARGE_FILE, join(folder, `large-${driver}`), ...(driver === 's3' ? [s3] : [])];
    const { held, ahead, ...moved } = JSON.parse((await promisify(execFile)(process.execPath, args)).stdout) as {
      readonly held: number;
      readonly ahead: number;
    };
    expect(moved).toEqual({ read: 64 * MEGABYTE, isSame: true });
    expect(held).toBeLessThan(8 * MEGABYTE);
    expect(ahead).toBeLessThan(MEGABYTE);
  });

  it('can be stored: a check says so', async () => {
    await expect(files().check()).resolves.toBeUndefined();
    expect(await unfinishedOf(driver)).toEqual([]);
  });
});
