import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { type BackgroundLoop } from '../../platform/scheduling/background-loop.js';
import { LoopRegistry } from '../../platform/scheduling/loop-registry.js';
import { PresenceService } from './presence.service.js';

const BATCH = 500;
const LOOK_EVERY_MS = 5_000;
const RETRY_WITHIN_MS = 10_000;

/** Finds silent links. Any number of processes may run it. */
@Injectable()
export class PresenceSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: BackgroundLoop;

  constructor(presence: PresenceService, loops: LoopRegistry, logger: PinoLogger) {
    logger.setContext(PresenceSweeper.name);
    this.#loop = loops.create(
      'silent_links',
      async () => ((await presence.closeSilentLinks(BATCH)) ? 'more' : 'idle'),
      {
        idleMs: LOOK_EVERY_MS,
        retryMs: RETRY_WITHIN_MS,
        onError: (error) => {
          logger.error({ err: error }, 'Looking for silent links failed');
        },
      },
    );
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#loop.stop();
  }
}
