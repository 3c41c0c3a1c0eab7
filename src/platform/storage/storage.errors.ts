import { AsProblem, DomainError } from '../../shared/domain-error.js';

/** The disk, or the quota of the store, is used up. */
export class StorageFullError extends Error {
  constructor(options?: ErrorOptions) {
    super('The storage is full.', options);
  }
}

/** The store did not answer, or refused us. */
@AsProblem(
  {
    code: 'storage_unavailable',
    kind: 'unavailable',
    meaning: 'Files cannot be read or written at the moment.',
    cause: 'The place where they are stored does not answer.',
    cure: 'Try again later. If it stays, ask the operator.',
  },
  'it did not answer',
)
export class StorageUnavailableError extends DomainError {
  /** @param reason a word of the store, which is no secret */
  constructor(reason: string, options?: ErrorOptions) {
    super(`The storage is not available: ${reason}`, {}, options);
  }
}

export class FileNotFoundError extends Error {
  constructor(key: string) {
    super(`No file "${key}" is stored.`);
  }
}

/** More bytes came than the file may have. */
export class FileTooLargeError extends Error {
  constructor(maxBytes: number) {
    super(`The file has more than ${String(maxBytes)} bytes.`);
  }
}

/** A defect of the caller: keys are made by code, and never by a person. */
export class InvalidFileKeyError extends Error {
  constructor(key: string) {
    super(`${JSON.stringify(key.slice(0, 300))} is no key of a file.`);
  }
}
