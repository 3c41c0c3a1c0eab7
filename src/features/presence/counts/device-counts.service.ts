import { Injectable, ServiceUnavailableException } from '@nestjs/common';
import { DEVICE_STATUSES, type DeviceStatus, LINK_KINDS } from '../../../contracts/devices.js';
import { MeasurementCache } from '../../../platform/metrics/measurement-cache.js';
import { type CountedLinks, DeviceCountsRepository } from './device-counts.repository.js';

/** Of the whole installation. */
export interface DeviceTotals {
  readonly total: number;
  readonly byStatus: readonly { readonly status: DeviceStatus; readonly count: number }[];
  readonly byKind: readonly CountedLinks[];
}

/** Counts devices and their connections: by one statement, at most every five seconds, however many ask. */
@Injectable()
export class DeviceCountsService {
  readonly #counts: MeasurementCache<DeviceTotals>;

  constructor(repository: DeviceCountsRepository) {
    this.#counts = new MeasurementCache(async () => {
      const { byStatus, byKind } = await repository.count();
      return {
        total: DEVICE_STATUSES.reduce((sum, status) => sum + (byStatus[status] ?? 0), 0),
        byStatus: DEVICE_STATUSES.map((status) => ({ status, count: byStatus[status] ?? 0 })),
        byKind: LINK_KINDS.map(
          (kind) =>
            byKind.find((each) => each.kind === kind) ?? { kind, links: 0, heardLastMinute: 0, heartbeatsPerSecond: 0 },
        ),
      };
    });
  }

  /** Undefined while PostgreSQL does not answer. */
  find(): Promise<DeviceTotals | undefined> {
    return this.#counts.read();
  }

  /** @throws ServiceUnavailableException */
  async get(): Promise<DeviceTotals> {
    const totals = await this.find();
    if (!totals) {
      throw new ServiceUnavailableException('The devices cannot be counted.');
    }
    return totals;
  }
}
