import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import type { OpenShares } from '../../sharing/sharing.types.js';
import { searchPatterns } from '../domain/device-search.js';
import { listStatement } from './device-list-sql.js';
import { STATS_STATEMENT } from './device-stats-sql.js';
import { visibleDevices } from './visible-devices-sql.js';
import type {
  DeviceFilters,
  DevicePosition,
  DeviceQuery,
  DeviceStats,
  ListedDevice,
  VisibleDevice,
} from './device-list.types.js';

// SQL: one round trip on a hot path: every analysis begins with it
const VISIBLE = `SELECT d.id, d.name, d.status::text, d.owned, d.created_at AS "createdAt",
    CASE WHEN d.provisioned OR d.owned_since > d.created_at THEN d.owned_since END AS "visibleFrom"
  FROM (${visibleDevices(3)}) d LIMIT $2`;

/** What lists of devices read. */
@Injectable()
export class DeviceListRepository {
  /** The texts of statements that have a name. */
  readonly #statements = new Map<string, string>();

  constructor(private readonly database: Database) {}

  /** Answers one more than `query.limit`, if there are more. */
  list(
    userId: string,
    query: DeviceQuery,
    { deviceIds, permissions }: OpenShares,
    after: DevicePosition | null,
  ): Promise<ListedDevice[]> {
    const { sort, fields } = query;
    const values = [userId, query.limit + 1, ...filterValues(query), deviceIds, permissions, ...(after ?? [])];
    const name = nameOf(query, after);
    const statement = this.#statements.get(name) ?? listStatement(sort, after !== null, fields);
    if (name !== '') {
      this.#statements.set(name, statement);
    }
    // SQL: a keyset
    return name === '' || query.q !== undefined
      ? this.database.query(name, statement, values)
      : this.database.queryHot(name, statement, values);
  }

  /** At most `limit` devices that a person sees, in no order. */
  listVisible(userId: string, { deviceIds, permissions }: OpenShares, limit: number): Promise<VisibleDevice[]> {
    return this.database.queryHot<VisibleDevice & Record<string, unknown>>('devices_visible', VISIBLE, [
      userId,
      limit,
      deviceIds,
      permissions,
    ]);
  }

  /** How many devices a person sees, by what they are and how they are. */
  async stats(userId: string, { deviceIds, permissions }: OpenShares): Promise<DeviceStats> {
    // SQL: something Prisma cannot say: all counts from one snapshot, in one round trip
    const [row] = await this.database.query<DeviceStats & Record<string, unknown>>('devices_stats', STATS_STATEMENT, [
      userId,
      deviceIds,
      permissions,
    ]);
    if (!row) {
      throw new Error('Counting devices answered nothing.');
    }
    return row;
  }
}

/** Orders by one column are prepared. Of the others there are too many: no connection keeps a plan for each. */
function nameOf({ sort, fields }: DeviceQuery, after: DevicePosition | null): string {
  const [first, ...others] = sort;
  if (!first || others.length > 0 || fields) {
    return '';
  }
  return `devices_list_${first.column.toLowerCase()}_${first.isDescending ? 'desc' : 'asc'}${after ? '_next' : ''}`;
}

/** The parameters of the filters in the order of the statement; null leaves one open. */
function filterValues(query: DeviceFilters): unknown[] {
  const { type, status, room, location, organizationId, owned, batteryBelow, seenSince, q } = query;
  const search = q === undefined ? undefined : searchPatterns(q);
  return [
    ...[type, status, room, location, organizationId, owned, batteryBelow, seenSince],
    ...[search?.words, search?.keys, search?.wholeKey],
  ].map((value) => value ?? null);
}
