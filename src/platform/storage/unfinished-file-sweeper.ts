import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { type BackgroundLoop } from '../scheduling/background-loop.js';
import { LoopRegistry } from '../scheduling/loop-registry.js';
import { FileStore } from './file-store.js';

const MINUTE_MS = 60_000;
/** What is being written is written to more often. With the pause it makes less than an hour. */
const ABANDONED_AFTER_MS = 30 * MINUTE_MS;
const EVERY_MS = 10 * MINUTE_MS;
/** A store that says nothing is asked several times. */
const DEADLINE_MS = 3 * MINUTE_MS;

/**
 * Removes what crashes left of files that were being written, and says in the log when files cannot be stored. An edge of each role that
 * stores files, and not left to the queue: what a process writes is on the disk of its own host, where a job of another one would not
 * look.
 */
@Injectable()
export class UnfinishedFileSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: BackgroundLoop;

  constructor(
    private readonly files: FileStore,
    loops: LoopRegistry,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(UnfinishedFileSweeper.name);
    this.#loop = loops.create('unfinished_files', () => this.sweep(), {
      idleFromMs: EVERY_MS,
      idleMs: EVERY_MS,
      retryMs: EVERY_MS,
      deadlineMs: DEADLINE_MS,
      onError: (error, failures) => {
        // One line per outage, not one per attempt.
        logger[failures === 1 ? 'warn' : 'debug']({ err: error }, 'Files cannot be stored; it is tried again');
      },
    });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.#loop.stop();
  }

  private async sweep(): Promise<'idle'> {
    const deleted = await this.files.deleteUnfinished(ABANDONED_AFTER_MS);
    if (deleted > 0) {
      this.logger.info({ deleted }, 'Removed files that were never finished');
    }
    await this.files.check();
    return 'idle';
  }
}
