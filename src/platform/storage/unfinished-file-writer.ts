import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, opendir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { untilAborted } from './abortable.js';
import { onDisk } from './disk.js';
import type { FileOptions, StoredFile } from './file-store.js';
import { FileTooLargeError } from './storage.errors.js';

/** No key has a part that begins with a dot. */
const FOLDER = '.unfinished';
/** Pieces of a source are written together, through one buffer: a copy costs less than what a new one leaves to be collected. */
const WRITE_BYTES = 256 * 1_024;
/** So much at most waits in memory of the kernel: the last fsync has little to do. */
const SYNC_BYTES = 32 * 1_024 * 1_024;

/** A file that has all of its bytes and no key yet. */
export interface UnfinishedFile extends StoredFile {
  readonly path: string;
  readonly handle: FileHandle;
}

/** Writes what comes into files of a folder of its own, where what a crash leaves is found by its age. */
export class UnfinishedFileWriter {
  readonly #folder: string;

  constructor(
    root: string,
    private readonly limitMs: number,
  ) {
    this.#folder = join(root, FOLDER);
  }

  /**
   * Writes all of `source` and gives it to `finish`. Afterwards the file is removed, whatever happened, unless `finish` moved it.
   * @throws StorageFullError, FileTooLargeError, StorageUnavailableError; whatever `source` and `finish` throw
   */
  async write<T>(
    source: AsyncIterable<Buffer>,
    options: Pick<FileOptions, 'maxBytes' | 'signal'>,
    finish: (file: UnfinishedFile) => Promise<T>,
  ): Promise<T> {
    const path = join(this.#folder, randomUUID());
    let handle: FileHandle | undefined;
    try {
      await this.disk(mkdir(this.#folder, { recursive: true, mode: 0o700 }));
      handle = await this.disk(open(path, 'wx+', 0o600));
      const stored = await this.fill(handle, source, options);
      return await finish({ path, handle, ...stored });
    } finally {
      // What cannot be removed now is removed by its age.
      await this.disk(Promise.all([handle?.close(), rm(path, { force: true })])).catch(() => undefined);
    }
  }

  /** Those that were not written to for so long. @returns how many. @throws StorageUnavailableError */
  async deleteOlderThan(ageMs: number): Promise<number> {
    const entries = await this.disk(opendir(this.#folder).catch(nullWhenMissing));
    let deleted = 0;
    for await (const { name } of entries ?? []) {
      const path = join(this.#folder, name);
      const known = await this.disk(stat(path).catch(nullWhenMissing));
      if (known && Date.now() - known.mtimeMs > ageMs) {
        await this.disk(rm(path, { recursive: true, force: true }));
        deleted += 1;
      }
    }
    return deleted;
  }

  private async fill(
    handle: FileHandle,
    source: AsyncIterable<Buffer>,
    { maxBytes = Infinity, signal }: Pick<FileOptions, 'maxBytes' | 'signal'>,
  ): Promise<StoredFile> {
    const hash = createHash('sha256');
    const pending = Buffer.allocUnsafeSlow(WRITE_BYTES);
    let [size, used, synced] = [0, 0, 0];
    const flush = async (): Promise<void> => {
      await this.disk(handle.appendFile(pending.subarray(0, used)));
      used = 0;
      if (size - synced >= SYNC_BYTES) {
        await this.disk(handle.datasync());
        synced = size;
      }
    };
    for await (const chunk of untilAborted(source, signal)) {
      size += chunk.length;
      if (size > maxBytes) {
        throw new FileTooLargeError(maxBytes);
      }
      hash.update(chunk);
      for (let taken = 0; taken < chunk.length;) {
        const copied = chunk.copy(pending, used, taken);
        [taken, used] = [taken + copied, used + copied];
        if (used === WRITE_BYTES) {
          await flush();
        }
      }
    }
    await flush();
    return { size, sha256: hash.digest('hex') };
  }

  private disk<T>(work: Promise<T>): Promise<T> {
    return onDisk(this.limitMs, work);
  }
}

function nullWhenMissing(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
    return null;
  }
  throw error;
}
