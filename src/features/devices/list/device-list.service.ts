import { Injectable } from '@nestjs/common';
import { DEVICE_STATUSES, DEVICE_TYPES } from '../../../contracts/devices.js';
import { decodeCursor, encodeCursor, isStorableText, type CursorPart } from '../../../shared/cursor.js';
import { isUuid } from '../../../shared/ids.js';
import { isInstant } from '../../../shared/instant.js';
import { toPage } from '../../../shared/paging.js';
import { DeviceAccessService } from '../../sharing/access/device-access.service.js';
import { DeviceListRepository } from './device-list.repository.js';
import type {
  DeviceListPage,
  DevicePosition,
  DeviceQuery,
  DeviceSort,
  DeviceSortColumn,
  DeviceStats,
  VisibleDevice,
} from './device-list.types.js';

/** Each value of a position is marked in a cursor: one that is not there is no text at all. */
const NONE = '-';
const VALUE = '=';
const marked = (value: string | null): string => (value === null ? NONE : VALUE + value);
const unmarked = (text: string): string | null => (text === NONE ? null : text.slice(VALUE.length));

const isOneOf =
  (allowed: readonly string[]): CursorPart =>
  (text) =>
    allowed.includes(text);
const isBattery: CursorPart = (text) => /^\d{1,3}$/.test(text);

/** Whether a text is one that PostgreSQL can read as a value of the column. */
const VALUES: Readonly<Record<DeviceSortColumn, CursorPart>> = {
  name: isStorableText,
  createdAt: isInstant,
  lastSeenAt: isInstant,
  battery: isBattery,
  room: isStorableText,
  type: isOneOf(DEVICE_TYPES),
  status: isOneOf(DEVICE_STATUSES),
};

/** Lists and counts the devices that a person sees. */
@Injectable()
export class DeviceListService {
  constructor(
    private readonly repository: DeviceListRepository,
    private readonly access: DeviceAccessService,
  ) {}

  /** A page of the devices of a person, of their organizations, and of those that are shared with them now. @throws InvalidCursorError */
  async list(userId: string, query: DeviceQuery): Promise<DeviceListPage> {
    const { sort, cursor, limit } = query;
    const list = `devices:${sort.map(nameOf).join(',')}`;
    const after = decodeCursor(list, cursor, [...sort.map(partOf), markedPart(isUuid)]) as readonly string[] | null;
    return toPage(
      await this.repository.list(userId, query, await this.access.openShares(userId), after && toPosition(after)),
      limit,
      (row) => row.item,
      ({ position }) => encodeCursor(list, (JSON.parse(position) as DevicePosition).map(marked)),
    );
  }

  /** At most `limit` devices that a person sees, in no order. */
  async listVisible(userId: string, limit: number): Promise<VisibleDevice[]> {
    return this.repository.listVisible(userId, await this.access.openShares(userId), limit);
  }

  /** How many devices a person sees, by what they are and how they are. */
  async stats(userId: string): Promise<DeviceStats> {
    return this.repository.stats(userId, await this.access.openShares(userId));
  }
}

function nameOf({ column, isDescending }: DeviceSort): string {
  return `${isDescending ? '-' : ''}${column}`;
}

function partOf({ column }: DeviceSort): CursorPart {
  return markedPart(VALUES[column]);
}

function markedPart(isValue: CursorPart): CursorPart {
  return (text) => text === NONE || (text.startsWith(VALUE) && isValue(text.slice(VALUE.length)));
}

function toPosition(after: readonly string[]): DevicePosition {
  return after.map(unmarked);
}
