import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { type Counter, Metrics } from '../../../platform/metrics/metrics.js';
import { JobRegistry } from '../../../platform/queue/job-registry.js';
import { FileStore } from '../../../platform/storage/file-store.js';
import {
  FileTooLargeError,
  StorageFullError,
  StorageUnavailableError,
} from '../../../platform/storage/storage.errors.js';
import { ExportCoverageService } from '../export-coverage.service.js';
import { type Export, type ExportFailure, fileKeyOf } from '../exports.types.js';
import { DataBusyError, DataTimedOutError, LogNotCompleteError } from './export-data.repository.js';
import { ExportEndingService } from './export-ending.service.js';
import { AttemptEndedError, ExportFileWriter, RUN_LIMIT_MS, WriterStoppedError } from './export-file-writer.js';
import { type BegunExport, type ExportAttempt, ExportRunsRepository } from './export-runs.repository.js';

/** Spread over eleven minutes: the first repeat soon. */
const MAX_FAILURES = 6;
const FIRST_DELAY_MS = 2_000;
const SOON_MS = 500;

/** Another attempt would end the same way. */
const LASTING: ReadonlySet<ExportFailure> = new Set(['storage_full', 'too_large', 'timed_out']);

declare module '../../../contracts/jobs.js' {
  interface Jobs {
    /** Makes one attempt to make the file of an export. Attempts of one export are numbered, and each is made once. */
    make_export: ExportAttempt;
  }
}

/** Makes the attempts to make the files of exports. An edge of the worker role. */
@Injectable()
export class ExportRunnerService implements OnModuleInit {
  readonly #exports: Counter<'type' | 'outcome'>;

  constructor(
    private readonly jobs: JobRegistry,
    private readonly runs: ExportRunsRepository,
    private readonly writer: ExportFileWriter,
    private readonly ending: ExportEndingService,
    private readonly coverage: ExportCoverageService,
    private readonly files: FileStore,
    metrics: Metrics,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(ExportRunnerService.name);
    this.#exports = metrics.counter('mortise_exports_total', 'Attempts to make an export, by outcome', [
      'type',
      'outcome',
    ]);
  }

  onModuleInit(): void {
    this.jobs.register('make_export', { queue: 'exports', everyMs: null }, (attempt) => this.attempt(attempt));
  }

  private async attempt(attempt: ExportAttempt): Promise<void> {
    const begun = await this.runs.begin(attempt);
    if (!begun) {
      return;
    }
    try {
      await this.make(begun, attempt);
    } catch (error) {
      await this.recover(begun, attempt, error);
    }
  }

  private async make(begun: BegunExport, attempt: ExportAttempt): Promise<void> {
    if (!(await this.coverage.mayStillSee(begun))) {
      await this.fail(begun, attempt, 'not_permitted');
      return;
    }
    if (attempt.attempt > 1) {
      // That of the one before alone: held up here for long, it would delete what a later one has made meanwhile.
      await this.files.delete(fileKeyOf(begun, attempt.attempt - 1));
    }
    const made = await this.writer.write(begun, attempt);
    if (await this.ending.complete(attempt, made)) {
      this.#exports.inc({ type: begun.type, outcome: 'completed' });
    } else {
      await this.files.delete(fileKeyOf(begun, attempt.attempt));
    }
  }

  private async recover(begun: BegunExport, attempt: ExportAttempt, error: unknown): Promise<void> {
    if (error instanceof AttemptEndedError) {
      this.#exports.inc({ type: begun.type, outcome: 'abandoned' });
      return;
    }
    const failure = failureOf(error);
    if (isPassing(error) ? isStuck(begun, error) : LASTING.has(failure) || begun.failures + 1 >= MAX_FAILURES) {
      await this.fail(begun, attempt, failure, error);
      return;
    }
    const isFailure = !isPassing(error);
    await this.runs.postpone(attempt, isFailure ? FIRST_DELAY_MS * 4 ** begun.failures : SOON_MS, isFailure);
    this.#exports.inc({ type: begun.type, outcome: 'postponed' });
    this.logger[isFailure ? 'warn' : 'debug']({ err: error, ...attempt }, 'An export could not be made; later again');
  }

  private async fail(begun: Export, attempt: ExportAttempt, failure: ExportFailure, error?: unknown): Promise<void> {
    if (await this.ending.fail(attempt, failure)) {
      this.#exports.inc({ type: begun.type, outcome: 'failed' });
      this.logger.warn({ err: error, ...attempt, failure }, 'An export failed');
    }
  }
}

/** The attempt is none that failed: it was too early, or the process stops. */
function isPassing(error: unknown): boolean {
  return error instanceof LogNotCompleteError || error instanceof DataBusyError || error instanceof WriterStoppedError;
}

/** Only a transaction of another program can be open for so long. */
function isStuck({ ageMs }: BegunExport, error: unknown): boolean {
  return error instanceof LogNotCompleteError && ageMs > RUN_LIMIT_MS;
}

function failureOf(error: unknown): ExportFailure {
  if (error instanceof StorageFullError) {
    return 'storage_full';
  }
  if (error instanceof FileTooLargeError) {
    return 'too_large';
  }
  if (error instanceof DataTimedOutError || error instanceof LogNotCompleteError) {
    return 'timed_out';
  }
  return error instanceof StorageUnavailableError ? 'storage_unavailable' : 'internal';
}
