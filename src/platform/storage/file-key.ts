import { InvalidFileKeyError } from './storage.errors.js';

/** Of a file system; that of S3 is longer. */
const MAX_LENGTH = 255;
/** No part is empty or begins with a dot: such names lead out of the folder, or to what is not finished. */
const KEY = /^[a-z0-9_-][a-z0-9._-]*(?:\/[a-z0-9_-][a-z0-9._-]*)*$/;

/** @throws InvalidFileKeyError */
export function assertFileKey(key: string): void {
  if (key.length > MAX_LENGTH || !KEY.test(key)) {
    throw new InvalidFileKeyError(key);
  }
}
