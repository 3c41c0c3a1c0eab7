import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import type { StepOutcome } from '../../../platform/scheduling/background-loop.js';
import { LoopRegistry } from '../../../platform/scheduling/loop-registry.js';
import { Sweeper } from '../../../platform/scheduling/sweeper.js';
import { FileStore } from '../../../platform/storage/file-store.js';
import { ExportsRepository, type UnusedFiles } from '../exports.repository.js';
import { folderOf } from '../exports.types.js';

const BATCH = 50;
const LOOK_EVERY_MS = 5_000;
const RETRY_WITHIN_MS = 60_000;
/** Of one step, while some cannot be deleted: the rest is found again in a minute. */
const TRY_FOR_MS = 30_000;

/**
 * Deletes files that are of no use any more: of exports that expired, failed, were cancelled or deleted. What the store does not delete is
 * tried again. Any number of workers may run it; an edge of that role.
 */
@Injectable()
export class ExportFileSweeper extends Sweeper {
  constructor(
    private readonly exports: ExportsRepository,
    private readonly files: FileStore,
    signals: SignalBus,
    loops: LoopRegistry,
    logger: PinoLogger,
  ) {
    super(signals, loops, logger, {
      name: 'export_files',
      wokenBy: 'export_waits',
      whileFailing: 'Files of exports could not be deleted; later again',
      idleMs: LOOK_EVERY_MS,
      retryMs: RETRY_WITHIN_MS,
      deadlineMs: RETRY_WITHIN_MS,
    });
  }

  protected async sweep(): Promise<StepOutcome> {
    await this.exports.cancelOrphans();
    await this.exports.expire();
    const unused = await this.exports.claimUnusedFiles(BATCH);
    await this.deleteFiles(unused);
    return unused.length === BATCH ? 'more' : 'idle';
  }

  /** One that cannot be deleted holds up no other. @throws the first error, when none could be */
  private async deleteFiles(unused: readonly UnusedFiles[]): Promise<void> {
    const until = performance.now() + TRY_FOR_MS;
    const errors: unknown[] = [];
    let deleted = 0;
    for (const one of unused) {
      try {
        // Of all attempts: a worker that was stopped for long may have left an old one.
        await this.files.deleteFolder(folderOf(one));
        await this.exports.filesDeleted(one);
        deleted += 1;
      } catch (error) {
        errors.push(error);
        if (performance.now() > until) {
          break;
        }
      }
    }
    if (errors.length > 0 && deleted === 0) {
      throw errors[0];
    }
    errors.forEach((error) => {
      this.logger.warn({ err: error }, 'The files of an export could not be deleted; later again');
    });
  }
}
