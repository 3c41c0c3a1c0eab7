import { Injectable } from '@nestjs/common';
import { DeviceLimiter } from '../../../platform/mqtt/limits/device-limiter.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { toBirth, toHeartbeat } from '../presence.dto.js';
import { TooManyBootsError } from '../presence.errors.js';
import { PresenceService } from '../presence.service.js';
import type { HttpHeartbeatDto } from './http-heartbeat.dto.js';
import { HttpLinksRepository } from './http-links.repository.js';

/** How many commands wait for a device. */
export type WaitingCommandsReader = (deviceId: string) => Promise<number>;

/** Devices that send single requests: a heartbeat is their birth, too, and nothing but silence is their will. */
@Injectable()
export class HttpPresenceService {
  #countWaiting: WaitingCommandsReader = () => Promise.resolve(0);

  constructor(
    private readonly presence: PresenceService,
    private readonly links: HttpLinksRepository,
    private readonly limiter: DeviceLimiter,
    private readonly transactions: Transactions,
  ) {}

  /** Sets how the commands are counted that wait, which belong to a feature above. Call it in `onModuleInit`. */
  onCountWaiting(count: WaitingCommandsReader): void {
    this.#countWaiting = count;
  }

  /**
   * Opens the link where it is closed, of another boot, or of another interval, no more often than a device reconnects;
   * everything else is written as over MQTT: heartbeats together with others, states when they change.
   * @returns how many commands wait for the device
   * @throws TooManyBootsError
   */
  async report(deviceId: string, report: HttpHeartbeatDto): Promise<number> {
    if (!this.limiter.admitsBoot(deviceId, report.boot)) {
      throw new TooManyBootsError();
    }
    const isOpen = await this.isOpen(deviceId, report);
    if (!isOpen && this.limiter.statusPauseMs(deviceId) === 0) {
      this.limiter.countStatus(deviceId);
      await this.presence.openLink(deviceId, 'http', { ...toBirth(report), isHeartbeat: true });
    } else {
      await this.recordStates(deviceId, report);
    }
    this.presence.heartbeat(deviceId, 'http', toHeartbeat(report));
    return this.#countWaiting(deviceId);
  }

  private async isOpen(deviceId: string, { boot, heartbeatIntervalMs }: HttpHeartbeatDto): Promise<boolean> {
    const link = await this.links.find(deviceId);
    return link?.boot === boot && (heartbeatIntervalMs ?? link.heartbeatIntervalMs) === link.heartbeatIntervalMs;
  }

  private async recordStates(deviceId: string, { boot, lockState, doorState }: HttpHeartbeatDto): Promise<void> {
    if (lockState === undefined && doorState === undefined) {
      return;
    }
    const states = {
      ...(lockState === undefined ? {} : { lockState }),
      ...(doorState === undefined ? {} : { doorState }),
    };
    await this.transactions.run(() => this.presence.recordStates([{ deviceId, boot, link: 'http', ...states }]));
  }
}
