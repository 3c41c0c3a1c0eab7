/** Files in a folder: what is left after a kill, a full disk, two writers, or a hand that changed them. */
import { execFile } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { LocalFileStore } from '../../src/platform/storage/local-file-store.js';
import { StorageUnavailableError } from '../../src/platform/storage/storage.errors.js';
import { NodeProcess } from '../support/process.js';
import { eventually } from '../support/wait.js';

const WRITER = join(import.meta.dirname, '..', 'support', 'file-writer-process.mjs');
const TEXT = { mediaType: 'text/plain' };
const KEY = 'tests/one';
const MINUTE_MS = 60_000;

let folder: string;
let root: string;
let files: LocalFileStore;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mortise-files-'));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  root = await mkdtemp(join(folder, 'store-'));
  files = new LocalFileStore(root);
});

async function* source(...pieces: readonly string[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) {
    await new Promise(setImmediate);
    yield Buffer.from(piece);
  }
}

async function unfinished(): Promise<string[]> {
  return (await readdir(join(root, '.unfinished'))).map((name) => join(root, '.unfinished', name));
}

describe('The local store', () => {
  it('has no file of a writer that was killed, and removes what it left when it is old', async () => {
    const writer = new NodeProcess(WRITER, [root, KEY, '3', 'silent'], {});
    await eventually('the writer has written', () => writer.output.includes('yielded'));
    await writer.kill();
    expect(await files.stat(KEY)).toBeNull();
    const left = await unfinished();
    expect(left).toHaveLength(1);

    expect(await files.deleteUnfinished(MINUTE_MS)).toBe(0);
    const before = new Date(Date.now() - 2 * MINUTE_MS);
    await utimes(left[0] ?? '', before, before);
    expect(await files.deleteUnfinished(MINUTE_MS)).toBe(1);
    expect(await unfinished()).toEqual([]);
  });

  it('has a whole file while a writer replaces it again and again, and when it is killed', async () => {
    const expectWholeFile = async (): Promise<void> => {
      const bytes = await buffer(await files.read(KEY));
      // All of a file is one content.
      expect([bytes.length, new Set(bytes).size]).toEqual([1_024 * 1_024, 1]);
      expect((await files.stat(KEY))?.size).toBe(bytes.length);
    };
    for (const rounds of [1, 5, 9]) {
      const writer = new NodeProcess(WRITER, [root, KEY, '1', 'again'], {});
      await eventually('a file was stored', () => writer.output.includes('stored'));
      await eventually('files were replaced while they were read', async () => {
        await expectWholeFile();
        return writer.output.split('stored').length > rounds;
      });
      await writer.kill();
      await expectWholeFile();
    }
  });

  it('says that it is full when the system has no room for a file, and keeps nothing of it', async () => {
    await files.put(KEY, source('older'), TEXT);
    // Two megabytes: blocks of 512 bytes, as POSIX has it.
    const limited = ['-c', 'ulimit -f 4096; exec "$@"', 'sh', process.execPath, WRITER, root, KEY, '3'];
    expect((await promisify(execFile)('/bin/sh', limited)).stdout).toBe('StorageFullError EFBIG\n');
    expect(await unfinished()).toEqual([]);
    expect((await buffer(await files.read(KEY))).toString()).toBe('older');
  });

  it('has the whole file of one of those that write it at the same time', async () => {
    const contents = Array.from({ length: 8 }, (_, writer) => String(writer).repeat(10_000 + writer));
    const stored = await Promise.all(contents.map((text) => files.put(KEY, source(text, text), TEXT)));
    expect(stored).toContainEqual(await files.stat(KEY));
    const text = (await buffer(await files.read(KEY))).toString();
    expect(contents.map((content) => content + content)).toContain(text);
    expect(await unfinished()).toEqual([]);
  });

  it('does not give out a file that was changed or cut', async () => {
    await files.put(KEY, source('as it was written'), TEXT);
    await appendFile(join(root, KEY), 'more');
    await expect(files.stat(KEY)).rejects.toThrow(StorageUnavailableError);
    await expect(files.read(KEY)).rejects.toThrow('a file is not as it was written');
    await writeFile(join(root, KEY), '');
    await expect(files.read(KEY)).rejects.toThrow(StorageUnavailableError);
  });

  it('has no file under the name of a folder, and under that of a file nothing else', async () => {
    await files.put(KEY, source('x'), TEXT);
    expect(await files.stat('tests')).toBeNull();
    await files.delete('tests');
    expect(await files.stat(`${KEY}/inner`)).toBeNull();
    await files.delete(`${KEY}/inner`);
    await expect(files.put(`${KEY}/inner`, source('y'), TEXT)).rejects.toThrow(StorageUnavailableError);
    await expect(files.put('tests', source('y'), TEXT)).rejects.toThrow(StorageUnavailableError);
    expect(await unfinished()).toEqual([]);
    expect((await buffer(await files.read(KEY))).toString()).toBe('x');
  });

  it('says what is wrong where it cannot write, without a wait', async () => {
    await writeFile(join(root, 'file'), '');
    const misplaced = new LocalFileStore(join(root, 'file', 'files'));
    await expect(misplaced.check()).rejects.toThrow('The storage is not available: ENOTDIR at mkdir.');
    await expect(misplaced.put(KEY, source('x'), TEXT)).rejects.toThrow(StorageUnavailableError);
    await expect(misplaced.deleteUnfinished(0)).rejects.toThrow(StorageUnavailableError);
    expect(await new LocalFileStore(join(root, 'none')).deleteUnfinished(0)).toBe(0);
  });

  it('leaves what others are still writing to', async () => {
    await mkdir(join(root, '.unfinished'));
    const old = join(root, '.unfinished', 'old');
    await writeFile(old, 'x');
    const before = new Date(Date.now() - 2 * MINUTE_MS);
    await utimes(old, before, before);
    let removed = -1;
    async function* slow(): AsyncGenerator<Buffer> {
      yield Buffer.from('one');
      removed = await files.deleteUnfinished(MINUTE_MS);
      yield Buffer.from('two');
    }
    await files.put(KEY, slow(), TEXT);
    expect([removed, (await files.stat(KEY))?.size]).toEqual([1, 6]);
  });

  it('gives no links: only its own application can reach it', async () => {
    expect(await files.link()).toBeNull();
  });
});
