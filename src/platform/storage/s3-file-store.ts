import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { OnModuleDestroy } from '@nestjs/common';
import type { S3Storage } from '../../config/storage.js';
import { abortedAfter } from './abortable.js';
import { assertByteRange } from './byte-range.js';
import { attachmentNamed } from './content-disposition.js';
import { onDisk } from './disk.js';
import { assertFileKey } from './file-key.js';
import { type ByteRange, type FileOptions, FileStore, type LinkOptions, type StoredFile } from './file-store.js';
import { emptyBeyondEnd, isMissingFile, isPassing, s3ErrorOf, unless } from './s3-errors.js';
import { FileNotFoundError, StorageUnavailableError } from './storage.errors.js';
import { type UnfinishedFile, UnfinishedFileWriter } from './unfinished-file-writer.js';
import { watchedStream } from './watched-stream.js';

/** The most that one request stores at S3. */
const MAX_BYTES = 5 * 1_024 ** 3;
const CONNECT_WITHIN_MS = 5_000;
const ANSWER_WITHIN_MS = 30_000;
/** The longest silence of the disk. */
const DISK_WITHIN_MS = 30_000;
/** In which a file is sent, however often that begins again: so long, and longer by its size. Who is never silent may be slow without end. */
const SEND_WITHIN_MS = 120_000;
const SLOWEST_BYTES_PER_MS = 256;
const ATTEMPTS = 3;
const PAUSE_MS = 200;
const READ_BYTES = 64 * 1_024;
/** What Signature Version 4 allows. */
const MAX_LINK_SECONDS = 604_800;
/** The SDK writes to the console otherwise. What it warns of is an error of the request, too. */
const SILENT = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const PAYLOAD_SHA256 = 'x-amz-content-sha256';

export interface S3FileStoreOptions {
  /** Where files are whole before they are sent. */
  readonly spoolFolder: string;
  /** The longest silence of the server: 30 s unless said otherwise. */
  readonly answerWithinMs?: number;
  /** 5 s unless said otherwise. */
  readonly connectWithinMs?: number;
  /** For sending a file, beside what its size takes: 2 min unless said otherwise. */
  readonly sendWithinMs?: number;
}

/** Of one request: `heard` is called whenever it goes on. */
interface Attempt {
  readonly abortSignal: AbortSignal;
  readonly heard: () => void;
}

/**
 * Files in a bucket of an S3-compatible server. One is written to the local disk first, and then sent as one request, whose size and
 * SHA-256 are known and signed (ADR 0038): there are no uploads in parts, and nothing unfinished at the server.
 */
export class S3FileStore extends FileStore implements OnModuleDestroy {
  readonly #client: S3Client;
  readonly #unfinished: UnfinishedFileWriter;
  readonly #silenceMs: number;
  readonly #sendWithinMs: number;

  constructor(
    private readonly s3: S3Storage,
    { spoolFolder, answerWithinMs, connectWithinMs = CONNECT_WITHIN_MS, sendWithinMs }: S3FileStoreOptions,
  ) {
    super();
    this.#silenceMs = answerWithinMs ?? ANSWER_WITHIN_MS;
    this.#sendWithinMs = sendWithinMs ?? SEND_WITHIN_MS;
    this.#unfinished = new UnfinishedFileWriter(spoolFolder, DISK_WITHIN_MS);
    this.#client = new S3Client({
      region: s3.region,
      ...(s3.endpoint !== null && { endpoint: s3.endpoint }),
      forcePathStyle: s3.pathStyle,
      credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey() },
      // Otherwise the SDK sends a checksum behind the body, in a framing that servers have stored as part of the file.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      // It would not repeat a request whose body is a stream; see `ask`.
      maxAttempts: 1,
      // A reader that is slower than the server makes the connection silent, too: silence is watched here.
      requestHandler: { connectionTimeout: connectWithinMs, socketTimeout: 0 },
      logger: SILENT,
    });
  }

  onModuleDestroy(): void {
    this.#client.destroy();
  }

  async put(key: string, source: AsyncIterable<Buffer>, options: FileOptions): Promise<StoredFile> {
    assertFileKey(key);
    const maxBytes = Math.min(options.maxBytes ?? MAX_BYTES, MAX_BYTES);
    return this.#unfinished.write(source, { ...options, maxBytes }, async (file) => {
      const limitMs = this.#sendWithinMs + file.size / SLOWEST_BYTES_PER_MS;
      await abortedAfter(
        limitMs,
        new StorageUnavailableError('S3 takes a file too slowly.'),
        options.signal,
        (signal) => this.ask((attempt) => this.send(key, file, options.mediaType, attempt), signal),
      );
      return { size: file.size, sha256: file.sha256 };
    });
  }

  async read(key: string, range?: ByteRange): Promise<Readable> {
    assertFileKey(key);
    if (range) {
      assertByteRange(range);
    }
    const request = new GetObjectCommand({
      ...this.object(key),
      ...(range && { Range: `bytes=${String(range.start)}-${String(range.end)}` }),
    });
    const answer = await this.ask(({ abortSignal }) =>
      unless(isMissingFile, this.#client.send(request, { abortSignal }).catch(emptyBeyondEnd)),
    );
    if (!answer) {
      throw new FileNotFoundError(key);
    }
    if (!(answer.Body instanceof Readable)) {
      return Readable.from([], { objectMode: false });
    }
    if (range && !isPartOf(range, answer.ContentRange)) {
      answer.Body.destroy();
      throw new StorageUnavailableError(
        'the server, or a proxy before it, does not send the range that it is asked for.',
      );
    }
    return watchedStream(answer.Body, this.#silenceMs, s3ErrorOf);
  }

  async stat(key: string): Promise<StoredFile | null> {
    assertFileKey(key);
    const request = new HeadObjectCommand(this.object(key));
    const answer = await this.ask(({ abortSignal }) =>
      unless(isMissingFile, this.#client.send(request, { abortSignal })),
    );
    if (!answer) {
      return null;
    }
    const sha256 = answer.Metadata?.sha256;
    if (sha256 === undefined || answer.ContentLength === undefined) {
      throw new StorageUnavailableError('a file is not as it was written.');
    }
    return { size: answer.ContentLength, sha256 };
  }

  async delete(key: string): Promise<void> {
    assertFileKey(key);
    const request = new DeleteObjectCommand(this.object(key));
    await this.ask(({ abortSignal }) => unless(isMissingFile, this.#client.send(request, { abortSignal })));
  }

  /** One by one: to delete many at once takes a checksum that not every server knows. */
  async deleteFolder(folder: string): Promise<void> {
    assertFileKey(folder);
    const request = new ListObjectsV2Command({ Bucket: this.s3.bucket, Prefix: `${folder}/` });
    // What is listed is deleted, so that the next ones are the first.
    for (let isMore = true; isMore;) {
      const { Contents, IsTruncated } = await this.ask(({ abortSignal }) =>
        this.#client.send(request, { abortSignal }),
      );
      for (const { Key } of Contents ?? []) {
        await this.delete(Key ?? '');
      }
      isMore = IsTruncated === true;
    }
  }

  async link(key: string, { fileName, mediaType, expiresInMs }: LinkOptions): Promise<string | null> {
    assertFileKey(key);
    if (!this.s3.links) {
      return null;
    }
    const request = new GetObjectCommand({
      ...this.object(key),
      ResponseContentDisposition: attachmentNamed(fileName),
      ResponseContentType: mediaType,
    });
    const expiresIn = Math.min(Math.max(1, Math.floor(expiresInMs / 1_000)), MAX_LINK_SECONDS);
    return getSignedUrl(this.#client, request, { expiresIn });
  }

  deleteUnfinished(olderThanMs: number): Promise<number> {
    return this.#unfinished.deleteOlderThan(olderThanMs);
  }

  async check(): Promise<void> {
    await this.#unfinished.write(Readable.from([]), {}, () => Promise.resolve());
    const request = new HeadBucketCommand({ Bucket: this.s3.bucket });
    await this.ask(({ abortSignal }) => this.#client.send(request, { abortSignal }));
  }

  private async send(key: string, file: UnfinishedFile, mediaType: string, attempt: Attempt): Promise<void> {
    const broken = new AbortController();
    const body = Readable.from(this.bytesOf(file.handle, file.size, attempt.heard), { objectMode: false });
    body.on('error', (error) => {
      broken.abort(error);
    });
    const request = new PutObjectCommand({
      ...this.object(key),
      Body: file.size === 0 ? '' : body,
      ContentLength: file.size,
      ContentType: mediaType,
      Metadata: { sha256: file.sha256 },
    });
    // Signed, so that the server refuses other bytes; of a stream the SDK leaves it out.
    request.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers[PAYLOAD_SHA256] = file.sha256;
        return next(args);
      },
      { step: 'build', name: 'payloadSha256' },
    );
    try {
      await this.#client.send(request, { abortSignal: AbortSignal.any([attempt.abortSignal, broken.signal]) });
    } catch (error) {
      throw broken.signal.aborted ? broken.signal.reason : error;
    } finally {
      body.destroy();
    }
  }

  /** By position, so that each attempt begins at the first one. */
  private async *bytesOf(handle: FileHandle, size: number, heard: () => void): AsyncGenerator<Buffer> {
    for (let position = 0; position < size;) {
      const length = Math.min(READ_BYTES, size - position);
      const read = handle.read(Buffer.allocUnsafe(length), 0, length, position);
      const { bytesRead, buffer } = await onDisk(DISK_WITHIN_MS, read);
      if (bytesRead === 0) {
        throw new StorageUnavailableError('a file is shorter than it was written.');
      }
      heard();
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  /**
   * The answer to a request that may be made several times. One is given up when nothing was heard for so long.
   * @throws StorageFullError, StorageUnavailableError; the reason of the signal
   */
  private async ask<T>(request: (attempt: Attempt) => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const silent = new AbortController();
      const timer = setTimeout(() => {
        silent.abort();
      }, this.#silenceMs);
      try {
        return await request({
          abortSignal: signal ? AbortSignal.any([signal, silent.signal]) : silent.signal,
          heard: () => timer.refresh(),
        });
      } catch (error) {
        signal?.throwIfAborted();
        if (attempt === ATTEMPTS || !isPassing(error)) {
          throw silent.signal.aborted
            ? new StorageUnavailableError(`S3 says nothing for ${String(this.#silenceMs)} ms.`)
            : s3ErrorOf(error);
        }
      } finally {
        clearTimeout(timer);
      }
      // By chance, so that those that were refused together do not meet again.
      await pause(PAUSE_MS * 2 ** attempt * Math.random(), undefined, signal && { signal }).catch(() => undefined);
      signal?.throwIfAborted();
    }
  }

  private object(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.s3.bucket, Key: key };
  }
}

/** Whether `bytes 0-99/1234` are no others than those that were asked for; they may be fewer, at the end of the file. */
function isPartOf({ start, end }: ByteRange, contentRange = ''): boolean {
  const [, first, last] = /^bytes (\d+)-(\d+)\//.exec(contentRange) ?? [];
  return Number(first) === start && Number(last) <= end;
}

function ignore(): void {
  // Said to no log.
}
