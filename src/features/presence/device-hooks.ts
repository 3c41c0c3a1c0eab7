import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { DeviceConnectedHandler, LockStateHandler, LockStateReport } from '../devices/devices.types.js';

/** What features above want to know about devices, at the moment it happens. */
@Injectable()
export class DeviceHooks {
  readonly #lockState: LockStateHandler[] = [];
  readonly #connected: DeviceConnectedHandler[] = [];

  constructor(private readonly logger: PinoLogger) {
    logger.setContext(DeviceHooks.name);
  }

  onLockStateReported(handler: LockStateHandler): void {
    this.#lockState.push(handler);
  }

  onConnected(handler: DeviceConnectedHandler): void {
    this.#connected.push(handler);
  }

  /** Inside of the transaction: a handler that fails undoes the report. */
  async lockStateReported(report: LockStateReport): Promise<void> {
    for (const handler of this.#lockState) {
      await handler(report);
    }
  }

  /** After the transaction: nobody's failure is anybody else's. */
  connected(deviceId: string): void {
    for (const handler of this.#connected) {
      try {
        handler(deviceId);
      } catch (error) {
        this.logger.error({ err: error, deviceId }, 'A handler of connected devices failed');
      }
    }
  }
}
