/** The disk, or the quota of the store, is used up. */
export class StorageFullError extends Error {
  constructor(options?: ErrorOptions) {
    super('The storage is full.', options);
  }
}

/** The store did not answer, or refused us. */
export class StorageUnavailableError extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(`The storage is not available: ${reason}`, options);
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
