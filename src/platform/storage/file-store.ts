import type { Readable } from 'node:stream';

/** A file as it is stored. */
export interface StoredFile {
  /** Bytes. */
  readonly size: number;
  /** SHA-256 of its bytes, in lower-case hexadecimal digits. */
  readonly sha256: string;
}

export interface FileOptions {
  /** With its parameters, such as `text/csv; charset=utf-8`. */
  readonly mediaType: string;
  /** More bytes than this are refused. */
  readonly maxBytes?: number;
  /** Ends the writing; nothing of the file stays. */
  readonly signal?: AbortSignal;
}

/** Positions of the first byte and of the last, both inclusive, as in RFC 9110, 14.1.2. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface LinkOptions {
  /** What the file is saved as. */
  readonly fileName: string;
  readonly mediaType: string;
  readonly expiresInMs: number;
}

/**
 * Files by key, on a local disk or in an S3-compatible store, as STORAGE_DRIVER says. A key is a relative path of lower-case
 * letters, digits, `-`, `_`, `.` and `/`, such as `exports/0190….csv`, and none is the folder of another one; InvalidFileKeyError
 * otherwise. Every call ends within a bounded time of silence.
 */
export abstract class FileStore {
  /**
   * Stores what `source` yields. The file is there whole, with its size and checksum known, or not at all; one that had the
   * key is replaced.
   * @throws StorageFullError, FileTooLargeError, StorageUnavailableError; whatever `source` throws; the reason of the signal
   */
  abstract put(key: string, source: AsyncIterable<Buffer>, options: FileOptions): Promise<StoredFile>;

  /**
   * The bytes of a file, or those of the range that it has: none, when it begins beyond the end. Who does not read it to its end
   * destroys it.
   * @throws FileNotFoundError, StorageUnavailableError, the second also while it is read
   */
  abstract read(key: string, range?: ByteRange): Promise<Readable>;

  /** Null when there is none. @throws StorageUnavailableError */
  abstract stat(key: string): Promise<StoredFile | null>;

  /** Deletes a file; it is no fault when there is none. @throws StorageUnavailableError */
  abstract delete(key: string): Promise<void>;

  /** Deletes all files whose keys begin with `folder/`; it is no fault when there are none. @throws StorageUnavailableError */
  abstract deleteFolder(folder: string): Promise<void>;

  /**
   * A URL at which the file is read without an account, until it expires. Null when only this application can reach the store: then its
   * own routes send the file.
   */
  abstract link(key: string, options: LinkOptions): Promise<string | null>;

  /** Deletes what unfinished writes left, when they have not gone on for so long. @returns how many. */
  abstract deleteUnfinished(olderThanMs: number): Promise<number>;

  /** Whether files could be stored now. @throws StorageFullError, StorageUnavailableError */
  abstract check(): Promise<void>;
}
