import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { type BackgroundLoop } from '../scheduling/background-loop.js';
import { LoopRegistry } from '../scheduling/loop-registry.js';
import { EventPartitionsService } from './event-partitions.service.js';

const MINUTE_MS = 60_000;
/** A round makes up to fifteen partitions, and the move of many events into one takes up to a minute. */
const DEADLINE_MS = 16 * MINUTE_MS;

/**
 * Looks after the event partitions when the process starts, and every few minutes. An edge of every role, and not left to
 * the queue: whatever process is left can make what is missing.
 */
@Injectable()
export class EventPartitionsScheduler implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: BackgroundLoop;

  constructor(partitions: EventPartitionsService, loops: LoopRegistry, logger: PinoLogger) {
    logger.setContext(EventPartitionsScheduler.name);
    // By chance, so that processes that started together do not meet each time.
    const pauseMs = MINUTE_MS * (5 + 5 * Math.random());
    this.#loop = loops.create('event_partitions', async () => ((await partitions.maintain()) ? 'more' : 'idle'), {
      deadlineMs: DEADLINE_MS,
      idleFromMs: pauseMs,
      idleMs: pauseMs,
      retryMs: MINUTE_MS,
      onError: (error, failures) => {
        // One line per outage, not one per attempt.
        logger[failures === 1 ? 'error' : 'debug'](
          { err: error },
          'The event partitions were not looked after; it is tried again',
        );
      },
    });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.#loop.stop();
  }
}
