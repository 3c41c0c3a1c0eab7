import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DevicePublisher } from '../../platform/mqtt/device-publisher.js';
import { SignalBus } from '../../platform/redis/signal-bus.js';
import { type StepOutcome } from '../../platform/scheduling/background-loop.js';
import { LoopRegistry } from '../../platform/scheduling/loop-registry.js';
import { PresenceService } from '../presence/presence.service.js';
import { DeviceSettingsRepository } from './device-settings.repository.js';
import type { OutgoingSettings } from './device-settings.types.js';
import { SettingsPublisher } from './settings-publisher.js';

/** Devices that one sweep publishes. */
const SWEEP_BATCH = 200;

/**
 * Publishes settings at the broker, retained. Those of a deleted or revoked device are taken back. Any number of processes may
 * run it: each looks again after it has published, so that the newest version is also the last one that the broker gets.
 */
@Injectable()
export class MqttSettingsPublisher extends SettingsPublisher {
  constructor(
    private readonly repository: DeviceSettingsRepository,
    private readonly publisher: DevicePublisher,
    presence: PresenceService,
    signals: SignalBus,
    loops: LoopRegistry,
    logger: PinoLogger,
  ) {
    const options = { loop: 'device_settings', signals: ['settings_changed', 'device_revoked'] } as const;
    super(options, presence, signals, loops, logger);
  }

  async sweep(): Promise<StepOutcome> {
    if (!this.publisher.isConnected()) {
      return 'idle';
    }
    const ids = await this.repository.listUnpublished(SWEEP_BATCH);
    if (ids.length > 0) {
      await this.publish(ids);
    }
    return ids.length === SWEEP_BATCH && this.publisher.isConnected() ? 'more' : 'idle';
  }

  protected async publish(deviceIds: readonly string[]): Promise<void> {
    if (this.publisher.isConnected()) {
      const outgoing = await this.repository.listOutgoing(deviceIds);
      const acknowledged = await Promise.all(outgoing.map((settings) => this.publishOne(settings)));
      await this.conclude(outgoing.filter((_settings, index) => acknowledged[index]));
    }
  }

  private publishOne({ id, version, desired, isWanted }: OutgoingSettings): Promise<boolean> {
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
