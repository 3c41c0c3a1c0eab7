import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../../config/app-config.js';
import { inBackground } from '../../../platform/process/faults.js';
import { FileStore, type StoredFile } from '../../../platform/storage/file-store.js';
import { fileKeyOf, MEDIA_TYPES } from '../exports.types.js';
import { type ExportData, ExportDataRepository } from './export-data.repository.js';
import { ExportRowsReader } from './export-rows-reader.js';
import { ExportEndingService, type MadeFile } from './export-ending.service.js';
import { type BegunExport, type ExportAttempt, ExportRunsRepository } from './export-runs.repository.js';

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

/** Writes the file of an export, and says how far it is. */
@Injectable()
export class ExportFileWriter {
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

  /**
   * @throws AttemptEndedError, DataNotReadyError, DataTimedOutError; StorageFullError, StorageUnavailableError,
   *   FileTooLargeError
   */
  async write(begun: BegunExport, attempt: ExportAttempt): Promise<MadeFile> {
    const reader = new ExportRowsReader(begun.format);
    const aborted = new AbortController();
    let storing: Promise<StoredFile> | undefined;
    let stopReporting = (): void => undefined;
    try {
      const at = await this.data.read(begun, { ...begun, devices: begun.devices ?? [] }, RUN_LIMIT_MS, async (data) => {
        stopReporting = this.report(begun, attempt, data, reader, aborted);
        const { source, drained } = untilDrained(reader.read(data.chunks));
        storing = this.store(begun, attempt, source, aborted.signal);
        // Sending the file may take longer than reading it: the snapshot is let go before.
        await Promise.race([storing, drained]);
        return data.at;
      });
      const file = await storing;
      if (!file) {
        throw new Error('The rows were read, and nothing was stored.');
      }
      return { rows: reader.rows, file, snapshotAt: begun.type === 'device_logs' ? null : at };
    } catch (error) {
      await storing?.catch(() => undefined);
      throw aborted.signal.aborted ? new AttemptEndedError() : error;
    } finally {
      stopReporting();
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
  private report(
    begun: BegunExport,
    attempt: ExportAttempt,
    { estimatedRows, at }: ExportData,
    reader: ExportRowsReader,
    aborted: AbortController,
  ): () => void {
    const snapshotAt = begun.type === 'device_logs' ? null : at;
    const say = async (): Promise<void> => {
      try {
        const going = await this.runs.progress(attempt, { rows: reader.rows, estimatedRows, snapshotAt });
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
