import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { type BackgroundLoop, type StepOutcome } from '../../../platform/scheduling/background-loop.js';
import { LoopRegistry } from '../../../platform/scheduling/loop-registry.js';
import { FileStore } from '../../../platform/storage/file-store.js';
import { ExportsRepository, type UnusedFiles } from '../exports.repository.js';
import { fileKeyOf } from '../exports.types.js';

const BATCH = 50;
const LOOK_EVERY_MS = 5_000;
const RETRY_WITHIN_MS = 60_000;
/** Each attempt deletes the file of the one before; a worker that was stopped for long may have left an older one. */
const ATTEMPTS_LOOKED_AT = 5;

/**
 * Deletes files that are of no use any more: of exports that expired, failed, were cancelled or deleted. What the store does not delete is
 * tried again. Any number of workers may run it; an edge of that role.
 */
@Injectable()
export class ExportFileSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: BackgroundLoop;
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly exports: ExportsRepository,
    private readonly files: FileStore,
    private readonly signals: SignalBus,
    loops: LoopRegistry,
    logger: PinoLogger,
  ) {
    logger.setContext(ExportFileSweeper.name);
    this.#loop = loops.create('export_files', () => this.sweep(), {
      idleMs: LOOK_EVERY_MS,
      retryMs: RETRY_WITHIN_MS,
      deadlineMs: RETRY_WITHIN_MS,
      onError: (error, failures) => {
        if (failures === 1) {
          logger.warn({ err: error }, 'Files of exports could not be deleted; later again');
        }
      },
    });
  }

  onApplicationBootstrap(): void {
    this.#unsubscribe = this.signals.on('export_waits', () => {
      this.#loop.wake();
    });
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#unsubscribe?.();
    await this.#loop.stop();
  }

  private async sweep(): Promise<StepOutcome> {
    await this.exports.cancelOrphans();
    await this.exports.expire();
    const unused = await this.exports.claimUnusedFiles(BATCH);
    for (const one of unused) {
      await this.delete(one);
    }
    return unused.length === BATCH ? 'more' : 'idle';
  }

  private async delete(unused: UnusedFiles): Promise<void> {
    const { attempts } = unused;
    for (let attempt = attempts; attempt > Math.max(0, attempts - ATTEMPTS_LOOKED_AT); attempt -= 1) {
      await this.files.delete(fileKeyOf(unused, attempt));
    }
    await this.exports.filesDeleted(unused);
  }
}
