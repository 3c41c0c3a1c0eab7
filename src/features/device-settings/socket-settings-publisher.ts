import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DeviceSocketPublisher } from '../../platform/realtime/devices/device-socket-publisher.js';
import { DeviceSocketRegistry } from '../../platform/realtime/devices/device-socket-registry.js';
import { SignalBus } from '../../platform/redis/signal-bus.js';
import { type StepOutcome } from '../../platform/scheduling/background-loop.js';
import { LoopRegistry } from '../../platform/scheduling/loop-registry.js';
import { PresenceService } from '../presence/presence.service.js';
import { DeviceSettingsRepository } from './device-settings.repository.js';
import { SettingsPublisher } from './settings-publisher.js';

/** Devices whose versions are asked for with one statement. */
const SWEEP_BATCH = 1_000;
/** Every sweep reads the versions of all connected devices: the first ones do not follow each other within milliseconds. */
const IDLE_FROM_MS = 5_000;

/**
 * Tells the devices whose sockets this process has what they should be set to. Rows are read one batch after the other, so that
 * the newest version is the last one told.
 */
@Injectable()
export class SocketSettingsPublisher extends SettingsPublisher {
  /** The version that each connection was told last. */
  readonly #told = new WeakMap<object, number>();

  constructor(
    private readonly repository: DeviceSettingsRepository,
    private readonly publisher: DeviceSocketPublisher,
    private readonly registry: DeviceSocketRegistry,
    presence: PresenceService,
    signals: SignalBus,
    loops: LoopRegistry,
    logger: PinoLogger,
  ) {
    const options = { loop: 'socket_settings', idleFromMs: IDLE_FROM_MS, signals: ['settings_changed'] } as const;
    super(options, presence, signals, loops, logger);
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

  protected override wake(deviceId: string): void {
    if (this.publisher.has(deviceId)) {
      super.wake(deviceId);
    }
  }

  protected async publish(deviceIds: readonly string[]): Promise<void> {
    const outgoing = await this.repository.listOutgoing(deviceIds);
    for (const { id, version, desired } of outgoing.filter(({ isWanted }) => isWanted)) {
      const socket = this.registry.of(id);
      if (socket && this.publisher.notify(id, 'update_settings', { version, settings: desired })) {
        this.#told.set(socket, version);
      }
    }
  }

  private toldVersion(deviceId: string): number | undefined {
    const socket = this.registry.of(deviceId);
    return socket && this.#told.get(socket);
  }
}
