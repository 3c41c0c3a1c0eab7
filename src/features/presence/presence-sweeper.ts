import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { type BackgroundLoop, type StepOutcome } from '../../platform/scheduling/background-loop.js';
import { LoopRegistry } from '../../platform/scheduling/loop-registry.js';
import { PresenceService } from './presence.service.js';

const BATCH = 100;
const LOOK_EVERY_MS = 5_000;
/** It reads every device: an index on `last_seen_at` would make each heartbeat more expensive. */
const INACTIVE_EVERY_MS = 60_000;
const RETRY_WITHIN_MS = 10_000;

/** Finds silent links and silent devices. Any number of processes may run it. */
@Injectable()
export class PresenceSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loops: readonly BackgroundLoop[];

  constructor(presence: PresenceService, loops: LoopRegistry, logger: PinoLogger) {
    logger.setContext(PresenceSweeper.name);
    const onError = (error: unknown): void => {
      logger.error({ err: error }, 'Looking for silent devices failed');
    };
    const outcome = (more: boolean): StepOutcome => (more ? 'more' : 'idle');
    const retryMs = RETRY_WITHIN_MS;
    this.#loops = [
      loops.create('silent_links', async () => outcome(await presence.closeSilentLinks(BATCH)), {
        idleMs: LOOK_EVERY_MS,
        retryMs,
        onError,
      }),
      loops.create('inactive_devices', async () => outcome(await presence.markInactive(BATCH)), {
        idleMs: INACTIVE_EVERY_MS,
        retryMs,
        onError,
      }),
    ];
  }

  onApplicationBootstrap(): void {
    this.#loops.forEach((loop) => {
      loop.start();
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }
}
