import { open } from 'node:fs/promises';
import { DeadlineExceededError, within } from '../../shared/deadline.js';
import { StorageFullError, StorageUnavailableError } from './storage.errors.js';

/** No room, no quota, or no right to so large a file. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * The result of an operation of the file system. A network file system whose server is gone answers never.
 * @throws StorageFullError, StorageUnavailableError
 */
export async function onDisk<T>(limitMs: number, work: Promise<T>): Promise<T> {
  try {
    return await within(limitMs, work);
  } catch (error) {
    throw diskErrorOf(error);
  }
}

/** What an error of the file system is to those who store files. */
export function diskErrorOf(error: unknown): StorageFullError | StorageUnavailableError {
  const { code, syscall = '' } = error as NodeJS.ErrnoException;
  if (error instanceof StorageUnavailableError) {
    return error;
  }
  if (code !== undefined && FULL.has(code)) {
    return new StorageFullError({ cause: error });
  }
  const reason = error instanceof DeadlineExceededError ? error.message : `${code ?? 'unknown error'} at ${syscall}.`;
  return new StorageUnavailableError(reason, { cause: error });
}

/** After it, what a folder lists outlives the loss of power. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
