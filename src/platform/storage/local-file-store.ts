import { type FileHandle, mkdir, open, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { assertByteRange } from './byte-range.js';
import { diskErrorOf, onDisk, syncFolder } from './disk.js';
import { assertFileKey } from './file-key.js';
import { type ByteRange, type FileOptions, FileStore, type StoredFile } from './file-store.js';
import { FileNotFoundError, StorageUnavailableError } from './storage.errors.js';
import { type UnfinishedFile, UnfinishedFileWriter } from './unfinished-file-writer.js';
import { watchedStream } from './watched-stream.js';

const ANSWER_WITHIN_MS = 30_000;
/** By which the end of a file is known for ours. */
const MARK = Buffer.from('MORTISE1');
const SHA256_BYTES = 32;
const SEAL_BYTES = MARK.length + SHA256_BYTES;
/** There is nothing of that name, or it is a folder, or a part of its path is a file. */
const MISSING = new Set(['ENOENT', 'ENOTDIR', 'EISDIR']);

export interface LocalFileStoreOptions {
  /** The longest that an operation of the file system may take: 30 s unless said otherwise. */
  readonly answerWithinMs?: number;
}

/**
 * Files in a folder, which the processes share that write and read them. What is written becomes a file of that name by one rename,
 * when it is whole and on the disk.
 *
 * The SHA-256 of its bytes stands behind them, as the seal of the file. In a file of its own it could be that of another content: between
 * two renames, of two writers, or after a crash.
 */
export class LocalFileStore extends FileStore {
  readonly #root: string;
  readonly #limitMs: number;
  readonly #unfinished: UnfinishedFileWriter;

  constructor(root: string, { answerWithinMs = ANSWER_WITHIN_MS }: LocalFileStoreOptions = {}) {
    super();
    this.#root = resolve(root);
    this.#limitMs = answerWithinMs;
    this.#unfinished = new UnfinishedFileWriter(this.#root, answerWithinMs);
  }

  async put(key: string, source: AsyncIterable<Buffer>, options: FileOptions): Promise<StoredFile> {
    const target = this.pathOf(key);
    return this.#unfinished.write(source, options, async (file) => {
      const { size, sha256 } = file;
      await this.disk(file.handle.appendFile(sealOf(sha256)));
      await this.disk(file.handle.sync());
      options.signal?.throwIfAborted();
      await this.disk(this.moveTo(target, file));
      return { size, sha256 };
    });
  }

  async read(key: string, range?: ByteRange): Promise<Readable> {
    if (range) {
      assertByteRange(range);
    }
    const found = await this.disk(find(this.pathOf(key)));
    if (!found) {
      throw new FileNotFoundError(key);
    }
    const { handle, size } = found;
    const { start, end } = { start: range?.start ?? 0, end: Math.min(range?.end ?? size, size - 1) };
    if (start > end) {
      await this.disk(handle.close());
      return Readable.from([], { objectMode: false });
    }
    return watchedStream(handle.createReadStream({ start, end }), this.#limitMs, diskErrorOf);
  }

  async stat(key: string): Promise<StoredFile | null> {
    const found = await this.disk(find(this.pathOf(key)));
    if (!found) {
      return null;
    }
    await this.disk(found.handle.close());
    return { size: found.size, sha256: found.sha256 };
  }

  async delete(key: string): Promise<void> {
    const path = this.pathOf(key);
    await this.disk(unlink(path).then(() => syncFolder(dirname(path)), unlessMissing));
  }

  async deleteFolder(folder: string): Promise<void> {
    const path = this.pathOf(folder);
    await this.disk(
      rm(path, { recursive: true, force: true }).then(() => syncFolder(dirname(path)).catch(unlessMissing)),
    );
  }

  link(): Promise<null> {
    return Promise.resolve(null);
  }

  deleteUnfinished(olderThanMs: number): Promise<number> {
    return this.#unfinished.deleteOlderThan(olderThanMs);
  }

  async check(): Promise<void> {
    await this.#unfinished.write(Readable.from([]), {}, () => Promise.resolve());
  }

  private async moveTo(target: string, { path }: UnfinishedFile): Promise<void> {
    const first = await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await rename(path, target);
    for (const folder of foldersBetween(dirname(target), first === undefined ? dirname(target) : dirname(first))) {
      await syncFolder(folder);
    }
  }

  private pathOf(key: string): string {
    assertFileKey(key);
    return join(this.#root, key);
  }

  private disk<T>(work: Promise<T>): Promise<T> {
    return onDisk(this.#limitMs, work);
  }
}

function sealOf(sha256: string): Buffer {
  return Buffer.concat([Buffer.from(sha256, 'hex'), MARK]);
}

/** The open file, with what its seal says. */
async function find(path: string): Promise<(StoredFile & { readonly handle: FileHandle }) | null> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    return { handle, ...(await readSeal(handle)) };
  } catch (error) {
    await handle?.close();
    if (isMissing(error)) {
      return null;
    }
    throw error;
  }
}

async function readSeal(handle: FileHandle): Promise<StoredFile> {
  const { size } = await handle.stat();
  const seal = Buffer.alloc(SEAL_BYTES);
  const { bytesRead } = await handle.read(seal, 0, SEAL_BYTES, Math.max(0, size - SEAL_BYTES));
  if (bytesRead < SEAL_BYTES || !seal.subarray(SHA256_BYTES).equals(MARK)) {
    throw new StorageUnavailableError('a file is not as it was written.');
  }
  return { size: size - SEAL_BYTES, sha256: seal.toString('hex', 0, SHA256_BYTES) };
}

/** From the inner one to the outer one, both inclusive: each lists the one before. */
function foldersBetween(inner: string, outer: string): readonly string[] {
  const depth = relative(outer, inner).split('/').filter(Boolean).length;
  return Array.from({ length: depth + 1 }, (_, above) => join(inner, ...Array<string>(above).fill('..')));
}

function unlessMissing(error: unknown): void {
  if (!isMissing(error)) {
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return MISSING.has((error as NodeJS.ErrnoException).code ?? '');
}
