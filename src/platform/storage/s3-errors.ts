import { StorageFullError, StorageUnavailableError } from './storage.errors.js';

/** By which servers say that there is no room, or none for a file so large: AWS, MinIO, Ceph and others. */
const FULL = new Set([
  'EntityTooLarge',
  'InsufficientCapacity',
  'InsufficientStorage',
  'QuotaExceeded',
  'QuotaExceededException',
  'ServiceQuotaExceeded',
  'XMinioAdminBucketQuotaExceeded',
  'XMinioStorageFull',
]);
const MISSING = new Set(['NoSuchKey', 'NotFound']);
/** Refusals by which the server asks for the same request again. */
const PASSING = new Set(['RequestTimeTooSkewed', 'RequestTimeout', 'SlowDown']);
const INSUFFICIENT_STORAGE = 507;

interface S3Fault {
  readonly name?: string;
  /** Of the network. */
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Whether there is no such file, of an answer to a request that names one. */
export function isMissingFile(error: unknown): boolean {
  return MISSING.has((error as S3Fault).name ?? '');
}

/** Null when it fails in this way. */
export async function unless<T>(expected: (error: unknown) => boolean, answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (expected(error)) {
      return null;
    }
    throw error;
  }
}

/** There are no bytes from there on. */
export function emptyBeyondEnd(error: unknown): { readonly Body?: undefined; readonly ContentRange?: undefined } {
  if (isBeyondEnd(error)) {
    return {};
  }
  throw error;
}

/** Whether the same request may be answered otherwise in a moment. */
export function isPassing(error: unknown): boolean {
  const status = statusOf(error);
  return !isFull(error) && (status === undefined || status === 429 || status >= 500 || PASSING.has(nameOf(error)));
}

/**
 * What an error of the client is to those who store files. It is not kept as the cause: servers repeat in it what was signed, and by
 * whom.
 */
export function s3ErrorOf(error: unknown): StorageFullError | StorageUnavailableError {
  if (error instanceof StorageUnavailableError) {
    return error;
  }
  if (isFull(error)) {
    return new StorageFullError();
  }
  const words = [nameOf(error), (error as S3Fault).code, statusOf(error)].filter(isWord);
  return new StorageUnavailableError(`S3 says ${[...new Set(words)].join(' ')}.`);
}

function isFull(error: unknown): boolean {
  return FULL.has(nameOf(error)) || statusOf(error) === INSUFFICIENT_STORAGE;
}

function statusOf(error: unknown): number | undefined {
  return (error as S3Fault).$metadata?.httpStatusCode;
}

function nameOf(error: unknown): string {
  return (error as S3Fault).name ?? '';
}

/** The server chose it: no text of any kind comes into the log. */
function isWord(value: string | number | undefined): boolean {
  return value !== undefined && /^[A-Za-z0-9_]{1,64}$/.test(String(value));
}

function isBeyondEnd(error: unknown): boolean {
  return (error as S3Fault).name === 'InvalidRange' || statusOf(error) === 416;
}
