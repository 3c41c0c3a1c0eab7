import type { DeviceStatus, DeviceType } from '../../../contracts/devices.js';
import type { Page } from '../../../shared/paging.js';
import type { DeviceField } from '../facts/device-fields.js';

/** By what devices can be ordered. */
export const DEVICE_SORT_COLUMNS = ['name', 'createdAt', 'lastSeenAt', 'battery', 'room', 'type', 'status'] as const;
export type DeviceSortColumn = (typeof DEVICE_SORT_COLUMNS)[number];
export const MAX_SORT_COLUMNS = 3;

/** One column of an order. */
export interface DeviceSort {
  readonly column: DeviceSortColumn;
  readonly isDescending: boolean;
}

/** Which devices to list: each member that is given narrows it. */
export interface DeviceFilters {
  readonly type?: DeviceType;
  readonly status?: DeviceStatus;
  readonly room?: string;
  readonly location?: string;
  readonly organizationId?: string;
  readonly owned?: boolean;
  /** Percent. */
  readonly batteryBelow?: number;
  /** RFC 3339. */
  readonly seenSince?: string;
  /** Words that the name, room, location or hardware id contain. */
  readonly q?: string;
}

/** Which devices of a user to list, what of them, and in which order. */
export interface DeviceQuery extends DeviceFilters {
  readonly sort: readonly DeviceSort[];
  readonly limit: number;
  readonly cursor?: string;
  /** All when it is left out. */
  readonly fields?: readonly DeviceField[];
}

/** The end of the last page: the values it was ordered by (null where a device has none), and the id that breaks ties. */
export type DevicePosition = readonly (string | null)[];

/** One row of the list: the item, and its position in the order, of which one row of a page is read; both as JSON. */
export interface ListedDevice {
  readonly item: string;
  readonly position: string;
}

/** Each item is a DeviceDto, or the asked members of one, as JSON text: the most frequent answer is not parsed and serialized again. */
export type DeviceListPage = Page<string>;

/** How many devices a user sees, by what they are and how they are. */
export interface DeviceStats {
  readonly total: number;
  readonly byStatus: Readonly<Partial<Record<DeviceStatus, number>>>;
  readonly byType: Readonly<Partial<Record<DeviceType, number>>>;
  readonly byPermission: Readonly<Record<string, number>>;
  readonly owned: number;
  readonly online: number;
  readonly rooms: number;
  readonly lowBattery: number;
  readonly firmware: readonly { readonly version: string; readonly count: number }[];
}

/** A device that a person sees, as far as a count of what it did needs it. */
export interface VisibleDevice {
  readonly id: string;
  readonly name: string;
  readonly status: DeviceStatus;
  readonly owned: boolean;
  /** What happened before belongs to an earlier owner; null: it never had another one. */
  readonly visibleFrom: Date | null;
  readonly createdAt: Date;
}
