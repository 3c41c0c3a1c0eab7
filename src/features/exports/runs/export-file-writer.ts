import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../../config/app-config.js';
import { inBackground } from '../../../platform/process/faults.js';
import { FileStore, type StoredFile } from '../../../platform/storage/file-store.js';
import { fileKeyOf, MEDIA_TYPES } from '../exports.types.js';
import { ExportDataRepository } from './export-data.repository.js';
import { ExportRowsReader } from './export-rows-reader.js';
import { ExportEndingService, type MadeFile } from './export-ending.service.js';
import {
  type BegunExport,
  type ExportAttempt,
  type ExportProgress,
  ExportRunsRepository,
} from './export-runs.repository.js';

/** What takes longer is asked for in parts. */
export const RUN_LIMIT_MS = 30 * 60_000;
/** How often an attempt says that it goes on, and hears whether it still is one. */
const REPORT_EVERY_MS = 1_000;

/** Another attempt took over, or the export was cancelled. */
export class AttemptEndedError extends Error {
  constructor() {
    super('The attempt is none any more.');
  }
}

/** The process stops: another attempt goes on elsewhere. */
export class WriterStoppedError extends Error {
  constructor() {
    super('The process stops.');
  }
}

/** Writes the file of an export, and says how far it is. */
@Injectable()
export class ExportFileWriter implements OnModuleDestroy {
  readonly #writing = new Set<AbortController>();

  constructor(
    private readonly data: ExportDataRepository,
    private readonly runs: ExportRunsRepository,
    private readonly ending: ExportEndingService,
    private readonly files: FileStore,
    private readonly config: AppConfig,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(ExportFileWriter.name);
  }

  /** No deployment waits for a file of half an hour. */
  onModuleDestroy(): void {
    this.#writing.forEach((writing) => {
      writing.abort(new WriterStoppedError());
    });
  }

  /**
   * @throws AttemptEndedError, WriterStoppedError, DataBusyError, LogNotCompleteError, DataTimedOutError; StorageFullError,
   *   StorageUnavailableError, FileTooLargeError
   */
  async write(begun: BegunExport, attempt: ExportAttempt): Promise<MadeFile> {
    const aborted = new AbortController();
    const reader = new ExportRowsReader(begun.format);
    const known = { estimatedRows: null as number | null, snapshotAt: null as Date | null };
    this.#writing.add(aborted);
    // From the beginning: waiting for its turn to read, the attempt is as much alive as later.
    const stopReporting = this.report(attempt, () => ({ ...known, rows: reader.rows }), aborted);
    let storing: Promise<StoredFile> | undefined;
    try {
      await this.data.read(begun, { ...begun, devices: begun.devices ?? [] }, RUN_LIMIT_MS, async (data) => {
        aborted.signal.throwIfAborted();
        known.estimatedRows = data.estimatedRows;
        known.snapshotAt = begun.type === 'device_logs' ? null : data.at;
        const { source, drained } = untilDrained(reader.read(data.chunks));
        storing = this.store(begun, attempt, source, aborted.signal);
        // Sending the file may take longer than reading it: the snapshot is let go before.
        await Promise.race([storing, drained]);
      });
      const file = await storing;
      if (!file) {
        throw new Error('The rows were read, and nothing was stored.');
      }
      return { rows: reader.rows, file, snapshotAt: known.snapshotAt };
    } catch (error) {
      await storing?.catch(() => undefined);
      throw aborted.signal.aborted ? aborted.signal.reason : error;
    } finally {
      stopReporting();
      this.#writing.delete(aborted);
    }
  }

  private store(
    begun: BegunExport,
    { attempt }: ExportAttempt,
    source: AsyncIterable<Buffer>,
    signal: AbortSignal,
  ): Promise<StoredFile> {
    return this.files.put(fileKeyOf(begun, attempt), source, {
      mediaType: MEDIA_TYPES[begun.format],
      maxBytes: this.config.exports.maxBytes,
      signal,
    });
  }

  /** @returns a function that ends it. */
  private report(attempt: ExportAttempt, progress: () => ExportProgress, aborted: AbortController): () => void {
    const say = async (): Promise<void> => {
      try {
        const going = await this.runs.progress(attempt, progress());
        if (going) {
          this.ending.tell(going);
        } else {
          aborted.abort(new AttemptEndedError());
        }
      } catch (error) {
        // Without a word for long enough, another attempt begins, and this one hears of it here.
        this.logger.debug({ err: error, ...attempt }, 'An export could not say that it goes on');
      }
    };
    inBackground(say);
    const timer = setInterval(() => {
      inBackground(say);
    }, REPORT_EVERY_MS);
    return () => {
      clearInterval(timer);
    };
  }
}

/** The same chunks, and when all of them were taken. */
function untilDrained(chunks: AsyncIterable<Buffer>): { source: AsyncGenerator<Buffer>; drained: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  async function* pass(): AsyncGenerator<Buffer> {
    yield* chunks;
    resolve(undefined);
  }
  return { source: pass(), drained: promise };
}
