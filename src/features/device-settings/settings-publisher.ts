import type { BeforeApplicationShutdown, OnApplicationBootstrap, OnModuleInit } from '@nestjs/common';
import type { PinoLogger } from 'nestjs-pino';
import { MicroBatcher } from '../../platform/batching/micro-batcher.js';
import { LimitedLogger } from '../../platform/logging/limited-logger.js';
import type { SignalBus } from '../../platform/redis/signal-bus.js';
import type { BackgroundLoop, StepOutcome } from '../../platform/scheduling/background-loop.js';
import type { LoopRegistry } from '../../platform/scheduling/loop-registry.js';
import type { PresenceService } from '../presence/presence.service.js';

const MAX_BATCH = 200;
/** Devices that wait at most; those beyond are found by the sweep, or at their next birth. */
const MAX_WAITING = 20_000;
const SWEEP_EVERY_MS = 5_000;

export interface SettingsPublisherOptions {
  /** The name of the loop that sweeps. */
  readonly loop: string;
  /** The first pause between two sweeps: 5 ms unless said otherwise. */
  readonly idleFromMs?: number;
  /** After which signals, besides a birth, a device is looked at. */
  readonly signals: readonly ('settings_changed' | 'device_revoked')[];
}

/** Publishes settings over one kind of link: at every birth, when they were changed, and what a lost signal left, by a sweep. */
export abstract class SettingsPublisher implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #sends = new MicroBatcher<string, undefined>({
    maxBatch: MAX_BATCH,
    connectsAs: 'dispatch',
    maxParallel: 1,
    maxWaiting: MAX_WAITING,
    run: (deviceIds) => this.send(deviceIds),
  });
  readonly #subscriptions: (() => void)[] = [];
  readonly #loop: BackgroundLoop;
  readonly #log: LimitedLogger;

  constructor(
    private readonly options: SettingsPublisherOptions,
    private readonly presence: PresenceService,
    private readonly signals: SignalBus,
    loops: LoopRegistry,
    logger: PinoLogger,
  ) {
    logger.setContext(new.target.name);
    this.#log = new LimitedLogger(logger);
    const { loop, idleFromMs } = options;
    this.#loop = loops.create(loop, () => this.sweep(), {
      ...(idleFromMs !== undefined && { idleFromMs }),
      idleMs: SWEEP_EVERY_MS,
      retryMs: SWEEP_EVERY_MS,
      onError: (error) => {
        this.#log.error('not_looked', { err: error }, 'Looking for unpublished settings failed');
      },
    });
  }

  onModuleInit(): void {
    const wake = (deviceId: string): void => {
      this.wake(deviceId);
    };
    this.presence.onConnected(wake);
    this.options.signals.forEach((name) => {
      this.#subscriptions.push(
        this.signals.on(name, ({ deviceId }) => {
          wake(deviceId);
        }),
      );
    });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#subscriptions.forEach((end) => {
      end();
    });
    await this.#loop.stop();
    await this.#sends.flush();
  }

  /** Publishes what was left. @returns whether there may be more */
  abstract sweep(): Promise<StepOutcome>;

  /** Publishes what these devices should be set to now. */
  protected abstract publish(deviceIds: readonly string[]): Promise<void>;

  /** Has a device looked at, with the others of this moment. */
  protected wake(deviceId: string): void {
    this.#sends.submit(deviceId).catch((error: unknown) => {
      this.#log.error('not_published', { deviceId, err: error }, 'Settings could not be published');
    });
  }

  private async send(deviceIds: readonly string[]): Promise<undefined[]> {
    await this.publish([...new Set(deviceIds)]);
    return deviceIds.map(() => undefined);
  }
}
