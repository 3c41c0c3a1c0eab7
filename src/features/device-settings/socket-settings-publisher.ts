import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { MicroBatcher } from '../../platform/batching/micro-batcher.js';
import { LimitedLogger } from '../../platform/logging/limited-logger.js';
import { DeviceSocketPublisher } from '../../platform/realtime/devices/device-socket-publisher.js';
import { DeviceSocketRegistry } from '../../platform/realtime/devices/device-socket-registry.js';
import { SignalBus } from '../../platform/redis/signal-bus.js';
import { type BackgroundLoop, type StepOutcome } from '../../platform/scheduling/background-loop.js';
import { LoopRegistry } from '../../platform/scheduling/loop-registry.js';
import { PresenceService } from '../presence/presence.service.js';
import { DeviceSettingsRepository } from './device-settings.repository.js';

const MAX_BATCH = 200;
/** Devices that wait at most; those beyond are found by the sweep. */
const MAX_WAITING = 20_000;
/** Devices whose versions are asked for with one statement. */
const SWEEP_BATCH = 1_000;
const SWEEP_EVERY_MS = 5_000;

/**
 * Tells the devices whose sockets this process has what they should be set to: at every birth, when any process changed it, and
 * within seconds what a lost signal left. Rows are read one batch after the other, so that the newest version is the last one told.
 */
@Injectable()
export class SocketSettingsPublisher implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #sends = new MicroBatcher<string, undefined>({
    maxBatch: MAX_BATCH,
    connectsAs: 'dispatch',
    maxParallel: 1,
    maxWaiting: MAX_WAITING,
    run: (deviceIds) => this.send(deviceIds),
  });
  /** The version that each connection was told last. */
  readonly #told = new WeakMap<object, number>();
  readonly #loop: BackgroundLoop;
  readonly #log: LimitedLogger;
  #unsubscribe: () => void = () => undefined;

  constructor(
    private readonly repository: DeviceSettingsRepository,
    private readonly publisher: DeviceSocketPublisher,
    private readonly registry: DeviceSocketRegistry,
    private readonly presence: PresenceService,
    private readonly signals: SignalBus,
    loops: LoopRegistry,
    logger: PinoLogger,
  ) {
    logger.setContext(SocketSettingsPublisher.name);
    this.#log = new LimitedLogger(logger);
    this.#loop = loops.create('socket_settings', () => this.sweep(), {
      idleFromMs: SWEEP_EVERY_MS,
      idleMs: SWEEP_EVERY_MS,
      retryMs: SWEEP_EVERY_MS,
      onError: (error) => {
        this.#log.error('not_looked', { err: error }, 'Looking for settings of devices on sockets failed');
      },
    });
  }

  onModuleInit(): void {
    this.presence.onConnected((deviceId) => {
      this.wake(deviceId);
    });
    this.#unsubscribe = this.signals.on('settings_changed', ({ deviceId }) => {
      this.wake(deviceId);
    });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#unsubscribe();
    await this.#loop.stop();
    await this.#sends.flush();
  }

  /** Tells connected devices what a lost signal left, or what they could not take before. */
  async sweep(): Promise<StepOutcome> {
    const ids = this.registry.connectedIds();
    for (let start = 0; start < ids.length; start += SWEEP_BATCH) {
      const versions = await this.repository.listVersions(ids.slice(start, start + SWEEP_BATCH));
      versions
        .filter(({ id, version }) => this.toldVersion(id) !== version)
        .forEach(({ id }) => {
          this.wake(id);
        });
    }
    return 'idle';
  }

  private wake(deviceId: string): void {
    if (this.publisher.has(deviceId)) {
      this.#sends.submit(deviceId).catch((error: unknown) => {
        this.#log.error('not_told', { deviceId, err: error }, 'Settings could not be told to a device on a socket');
      });
    }
  }

  private async send(deviceIds: readonly string[]): Promise<undefined[]> {
    const outgoing = await this.repository.listOutgoing([...new Set(deviceIds)]);
    for (const { id, version, desired } of outgoing.filter(({ isWanted }) => isWanted)) {
      const socket = this.registry.of(id);
      if (socket && this.publisher.notify(id, 'update_settings', { version, settings: desired })) {
        this.#told.set(socket, version);
      }
    }
    return deviceIds.map(() => undefined);
  }

  private toldVersion(deviceId: string): number | undefined {
    const socket = this.registry.of(deviceId);
    return socket && this.#told.get(socket);
  }
}
