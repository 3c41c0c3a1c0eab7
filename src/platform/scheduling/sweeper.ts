import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { PinoLogger } from 'nestjs-pino';
import type { SignalName } from '../../contracts/signals.js';
import type { SignalBus } from '../redis/signal-bus.js';
import type { BackgroundLoop, LoopOptions, StepOutcome } from './background-loop.js';
import type { LoopRegistry } from './loop-registry.js';

export interface SweeperOptions extends Omit<LoopOptions, 'onError'> {
  /** Of its loop. */
  readonly name: string;
  /** The hint that there is something to find: it looks at once. */
  readonly wokenBy: SignalName;
  /** Logged once for each outage. */
  readonly whileFailing: string;
}

/**
 * Finds rows that are due, now and then and as soon as a hint arrives: a hint may be lost, and a row is not. Any number of processes
 * may run it.
 */
export abstract class Sweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: BackgroundLoop;
  readonly #wokenBy: SignalName;
  #unsubscribe: (() => void) | undefined;
  #nextLook: NodeJS.Timeout | undefined;

  protected constructor(
    private readonly signals: SignalBus,
    loops: LoopRegistry,
    protected readonly logger: PinoLogger,
    { name, wokenBy, whileFailing, ...options }: SweeperOptions,
  ) {
    logger.setContext(new.target.name);
    this.#wokenBy = wokenBy;
    this.#loop = loops.create(name, () => this.sweep(), {
      ...options,
      onError: (error, failures) => {
        if (failures === 1) {
          logger.warn({ err: error }, whileFailing);
        }
      },
    });
  }

  onApplicationBootstrap(): void {
    this.#unsubscribe = this.signals.on(this.#wokenBy, () => {
      this.#loop.wake();
    });
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#unsubscribe?.();
    await this.#loop.stop();
    clearTimeout(this.#nextLook);
  }

  /** For what will be due before it would look anyway. */
  protected lookAgainIn(ms: number): void {
    clearTimeout(this.#nextLook);
    this.#nextLook = setTimeout(() => {
      this.#loop.wake();
    }, ms);
  }

  protected abstract sweep(): Promise<StepOutcome>;
}
