import { Injectable } from '@nestjs/common';
import { DevicesService } from '../devices/devices.service.js';
import { DeviceListService } from '../devices/list/device-list.service.js';
import type { VisibleDevice } from '../devices/list/device-list.types.js';
import { TooManyDevicesToAnalyseError } from './analytics.errors.js';
import type { AnalysedDevice } from './analytics.types.js';

const MAX_DEVICES = 5_000;

/** A device that a person sees, with what an analysis of theirs may show of it. */
export type PersonsDevice = AnalysedDevice & Pick<VisibleDevice, 'status' | 'owned' | 'createdAt'>;

/** What devices an analysis is about. */
@Injectable()
export class VisibleDevicesService {
  constructor(
    private readonly devices: DevicesService,
    private readonly lists: DeviceListService,
  ) {}

  /** All that a person sees now, by their names. @throws TooManyDevicesToAnalyseError */
  async list(userId: string): Promise<PersonsDevice[]> {
    const visible = await this.lists.listVisible(userId, MAX_DEVICES + 1);
    if (visible.length > MAX_DEVICES) {
      throw new TooManyDevicesToAnalyseError(MAX_DEVICES);
    }
    return visible
      .map(({ visibleFrom, ...device }) => ({ ...device, since: visibleFrom }))
      .sort((a, b) => (a.name === b.name ? (a.id < b.id ? -1 : 1) : a.name < b.name ? -1 : 1));
  }

  /** One that the request may see. @throws DeviceNotFoundError */
  async get(deviceId: string): Promise<AnalysedDevice> {
    const { id, name, provisioned, ownedSince, createdAt } = await this.devices.get(deviceId);
    return { id, name, since: provisioned || ownedSince > createdAt ? ownedSince : null };
  }
}
