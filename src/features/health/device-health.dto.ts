import type { DeviceStatus, LinkKind } from '../../contracts/devices.js';
import type { DeviceTotals } from '../presence/counts/device-counts.service.js';

/** Devices of one status. */
export class DevicesOfStatusDto {
  status!: DeviceStatus;

  /** @example 940 */
  count!: number;
}

/** Connections of one kind. A device that sends its requests over HTTP has one of kind `http` while it is heard. */
export class LinksOfKindDto {
  kind!: LinkKind;

  /** @example 930 */
  links!: number;

  /**
   * Of those, heard within the last minute.
   * @example 930
   */
  heardLastMinute!: number;

  /**
   * Heartbeats of this kind that were written by any process, of the last minute: the newest of each device in a second. A
   * process that has just begun knows none of before.
   * @example 30.8
   */
  heartbeatsPerSecond!: number;

  /**
   * As many as these connections would send by the interval that each declared, whether they are heard or not.
   * @example 31
   */
  expectedHeartbeatsPerSecond!: number;
}

export class DeviceHealthDto {
  /** @example 1000 */
  total!: number;

  byStatus!: DevicesOfStatusDto[];

  byKind!: LinksOfKindDto[];
}

export function toDeviceHealthDto({ total, byStatus, byKind }: DeviceTotals): DeviceHealthDto {
  return { total, byStatus: [...byStatus], byKind: [...byKind] };
}
