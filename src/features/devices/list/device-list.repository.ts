import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import { searchPatterns } from '../domain/device-search.js';
import { listStatement } from './device-list-sql.js';
import { STATS_STATEMENT } from './device-stats-sql.js';
import type { DevicePosition, DeviceQuery, DeviceStats, ListedDevice } from './device-list.types.js';

/** What lists of devices read. */
@Injectable()
export class DeviceListRepository {
  constructor(private readonly database: Database) {}

  /** Answers one more than `query.limit`, if there are more. */
  list(userId: string, query: DeviceQuery, after: DevicePosition | null): Promise<ListedDevice[]> {
    const { sort, fields } = query;
    const search = query.q === undefined ? null : searchPatterns(query.q);
    const values = [
      userId,
      query.limit + 1,
      query.type ?? null,
      query.status ?? null,
      query.room ?? null,
      query.location ?? null,
      query.organizationId ?? null,
      query.owned ?? null,
      query.batteryBelow ?? null,
      query.seenSince ?? null,
      search?.words ?? null,
      search?.keys ?? null,
      search?.wholeKey ?? null,
      ...(after ?? []),
    ];
    // SQL: a keyset
    return this.database.query(nameOf(query, after), listStatement(sort, after !== null, fields), values);
  }

  /** How many devices a person sees, by what they are and how they are. */
  async stats(userId: string): Promise<DeviceStats> {
    // SQL: one round trip: all counts from one snapshot
    const [row] = await this.database.query<DeviceStats & Record<string, unknown>>('devices_stats', STATS_STATEMENT, [
      userId,
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
