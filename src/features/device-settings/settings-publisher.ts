import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { MicroBatcher } from '../../platform/batching/micro-batcher.js';
import { LimitedLogger } from '../../platform/logging/limited-logger.js';
import { DevicePublisher } from '../../platform/mqtt/device-publisher.js';
import { SignalBus } from '../../platform/redis/signal-bus.js';
import { type BackgroundLoop, type StepOutcome } from '../../platform/scheduling/background-loop.js';
import { LoopRegistry } from '../../platform/scheduling/loop-registry.js';
import { PresenceService } from '../presence/presence.service.js';
import { DeviceSettingsRepository } from './device-settings.repository.js';
import type { OutgoingSettings } from './device-settings.types.js';

const MAX_BATCH = 200;
/** Devices that wait at most; those beyond are found by the sweep, or at their next birth. */
const MAX_WAITING = 20_000;
const SWEEP_EVERY_MS = 5_000;

/**
 * Publishes settings, retained: when they were changed, at every birth, and what a lost signal left, by a sweep. Those of a
 * deleted or revoked device are taken back from the broker. Any number of processes may run it: each looks again after it has
 * published, so that the newest version is also the last one that the broker gets.
 */
@Injectable()
export class SettingsPublisher implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
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
    private readonly repository: DeviceSettingsRepository,
    private readonly publisher: DevicePublisher,
    private readonly presence: PresenceService,
    private readonly signals: SignalBus,
    loops: LoopRegistry,
    logger: PinoLogger,
  ) {
    logger.setContext(SettingsPublisher.name);
    this.#log = new LimitedLogger(logger);
    this.#loop = loops.create('device_settings', () => this.sweep(), {
      idleMs: SWEEP_EVERY_MS,
      retryMs: SWEEP_EVERY_MS,
      onError: (error) => {
        this.#log.error('not_looked', { err: error }, 'Looking for unpublished settings failed');
      },
    });
  }

  onModuleInit(): void {
    this.presence.onConnected((deviceId) => {
      this.wake(deviceId);
    });
    this.#subscriptions.push(
      this.signals.on('settings_changed', ({ deviceId }) => {
        this.wake(deviceId);
      }),
      this.signals.on('device_revoked', ({ deviceId }) => {
        this.wake(deviceId);
      }),
    );
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
  async sweep(): Promise<StepOutcome> {
    if (!this.publisher.isConnected()) {
      return 'idle';
    }
    const ids = await this.repository.listUnpublished(MAX_BATCH);
    if (ids.length > 0) {
      await this.send(ids);
    }
    return ids.length === MAX_BATCH && this.publisher.isConnected() ? 'more' : 'idle';
  }

  private wake(deviceId: string): void {
    this.#sends.submit(deviceId).catch((error: unknown) => {
      this.#log.error('not_published', { deviceId, err: error }, 'Settings could not be published');
    });
  }

  private async send(deviceIds: readonly string[]): Promise<undefined[]> {
    if (this.publisher.isConnected()) {
      const outgoing = await this.repository.listOutgoing([...new Set(deviceIds)]);
      const acknowledged = await Promise.all(outgoing.map((settings) => this.publish(settings)));
      await this.conclude(outgoing.filter((_settings, index) => acknowledged[index]));
    }
    return deviceIds.map(() => undefined);
  }

  private publish({ id, version, desired, isWanted }: OutgoingSettings): Promise<boolean> {
    return isWanted
      ? this.publisher.publish(id, 'settings', { version, settings: desired })
      : this.publisher.retract(id, 'settings');
  }

  private async conclude(published: readonly OutgoingSettings[]): Promise<void> {
    const wanted = published.filter(({ isWanted }) => isWanted);
    if (wanted.length > 0) {
      const older = await this.repository.markPublished(wanted);
      older.forEach((deviceId) => {
        this.wake(deviceId);
      });
    }
    const retracted = published.filter(({ isWanted }) => !isWanted);
    if (retracted.length > 0) {
      await this.repository.markRetracted(retracted);
      await this.repository.forgetDeleted(retracted.map(({ id }) => id));
    }
  }
}
