import { Injectable, ServiceUnavailableException } from '@nestjs/common';
import { DEVICE_STATUSES, type DeviceStatus, LINK_KINDS } from '../../../contracts/devices.js';
import { MeasurementCache } from '../../../platform/metrics/measurement-cache.js';
import { type CountedDevices, type CountedLinks, DeviceCountsRepository } from './device-counts.repository.js';
import { HeartbeatCountStore } from './heartbeat-count-store.js';

/** Connections of one kind, and how often they are heard. */
export interface LinkTotals extends CountedLinks {
  /** Heartbeats that were written, of the last minute. */
  readonly heartbeatsPerSecond: number;
}

/** Of the whole installation. */
export interface DeviceTotals {
  readonly total: number;
  readonly byStatus: readonly { readonly status: DeviceStatus; readonly count: number }[];
  readonly byKind: readonly LinkTotals[];
}

/** Counts devices and their connections: by one statement, at most every five seconds, however many ask. */
@Injectable()
export class DeviceCountsService {
  readonly #counts: MeasurementCache<CountedDevices>;

  constructor(
    repository: DeviceCountsRepository,
    private readonly heartbeats: HeartbeatCountStore,
  ) {
    this.#counts = new MeasurementCache(() => repository.count());
  }

  /** Heartbeats of the whole installation that were written since this process began. */
  get writtenHeartbeats(): number {
    return this.heartbeats.total;
  }

  /** Undefined while PostgreSQL does not answer. */
  async find(): Promise<DeviceTotals | undefined> {
    const counted = await this.#counts.read();
    return counted && this.totals(counted);
  }

  /** @throws ServiceUnavailableException */
  async get(): Promise<DeviceTotals> {
    const totals = await this.find();
    if (!totals) {
      throw new ServiceUnavailableException('The devices cannot be counted.');
    }
    return totals;
  }

  private totals({ byStatus, byKind }: CountedDevices): DeviceTotals {
    const perSecond = this.heartbeats.perSecond();
    return {
      total: DEVICE_STATUSES.reduce((sum, status) => sum + (byStatus[status] ?? 0), 0),
      byStatus: DEVICE_STATUSES.map((status) => ({ status, count: byStatus[status] ?? 0 })),
      byKind: LINK_KINDS.map((kind) => ({
        ...(byKind.find((each) => each.kind === kind) ?? {
          kind,
          links: 0,
          heardLastMinute: 0,
          expectedHeartbeatsPerSecond: 0,
        }),
        heartbeatsPerSecond: Math.round(perSecond[kind] * 100) / 100,
      })),
    };
  }
}
