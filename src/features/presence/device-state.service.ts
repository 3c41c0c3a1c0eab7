import { Injectable } from '@nestjs/common';
import { DeviceHooks } from './device-hooks.js';
import type { StateReport } from '../devices/devices.types.js';
import { PresenceRepository } from './presence.repository.js';

/** What devices say of themselves: bolt, door, battery. */
@Injectable()
export class DeviceStateService {
  constructor(
    private readonly repository: PresenceRepository,
    private readonly hooks: DeviceHooks,
  ) {}

  /**
   * Records reports, those of a device in their order, as part of the surrounding transaction, and tells whoever waits for a bolt to move.
   * What a device says of an earlier start changes nothing about the present.
   */
  async record(reports: readonly StateReport[]): Promise<void> {
    await this.repository.recordStates([...latest(reports).values()]);
    // Device by device in the order of their ids, as everybody does who holds rows of several.
    const byDevice = [...reports].sort((a, b) => (a.deviceId < b.deviceId ? -1 : Number(a.deviceId > b.deviceId)));
    for (const { deviceId, boot, lockState, commandId } of byDevice) {
      if (lockState !== undefined) {
        await this.hooks.lockStateReported({
          deviceId,
          boot,
          lockState,
          ...(commandId === undefined ? {} : { commandId }),
        });
      }
    }
  }
}

/** One report for each device and start, in which the last word on each fact stands. */
function latest(reports: readonly StateReport[]): Map<string, StateReport> {
  const merged = new Map<string, StateReport>();
  for (const report of reports) {
    const key = `${report.deviceId}/${report.boot}`;
    merged.set(key, { ...merged.get(key), ...report });
  }
  return merged;
}
