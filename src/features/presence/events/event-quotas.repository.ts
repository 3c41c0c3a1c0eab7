import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';

/** How many events were stored on a day (UTC), of each device and of each owner. */
@Injectable()
export class EventQuotasRepository {
  constructor(private readonly database: Database) {}

  /** Counts stored events of devices and of owners. */
  async add(counts: ReadonlyMap<string, number>): Promise<void> {
    // SQL: a set-based batch
    await this.database.execute(
      'presence_count_events',
      `INSERT INTO event_quotas AS q (subject_id, day, events)
       SELECT s.subject_id, current_date, s.events FROM unnest($1::uuid[], $2::int[]) AS s(subject_id, events)
       ORDER BY s.subject_id
       ON CONFLICT (subject_id, day) DO UPDATE SET events = q.events + excluded.events`,
      [[...counts.keys()], [...counts.values()]],
    );
  }
}
