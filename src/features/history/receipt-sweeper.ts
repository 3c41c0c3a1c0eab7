import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { BackgroundLoop } from '../../platform/scheduling/background-loop.js';
import { HistoryRepository } from './history.repository.js';

const BATCH = 1_000;
const LOOK_EVERY_MS = 600_000;
const RETRY_WITHIN_MS = 60_000;

/** Deletes receipts of old boots. Any number of processes may run it. */
@Injectable()
export class ReceiptSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: BackgroundLoop;

  constructor(repository: HistoryRepository, logger: PinoLogger) {
    logger.setContext(ReceiptSweeper.name);
    this.#loop = new BackgroundLoop(async () => ((await repository.purgeReceipts(BATCH)) === BATCH ? 'more' : 'idle'), {
      idleMs: LOOK_EVERY_MS,
      retryMs: RETRY_WITHIN_MS,
      onError: (error) => {
        logger.error({ err: error }, 'Deleting old receipts failed');
      },
    });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#loop.stop();
  }
}
