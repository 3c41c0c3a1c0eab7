import type { ByteRange } from './file-store.js';

/** @throws RangeError when it is none, whatever the size of the file is. */
export function assertByteRange({ start, end }: ByteRange): void {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw new RangeError(`There are no bytes from ${String(start)} to ${String(end)}.`);
  }
}
