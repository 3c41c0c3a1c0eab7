import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import type { CreationPosition } from '../../../shared/cursor.js';
import { databaseTimeZone } from '../../../shared/time-zone.js';
import { canActSql } from '../../users/account-standing.types.js';
import type { DueSchedule, ExportSchedule, NewExportSchedule } from './export-schedules.types.js';

/** One period, and the begin of the present one, by the clock of the zone. */
const PERIOD = `CASE s.every WHEN 'daily' THEN interval '1 day' WHEN 'weekly' THEN interval '7 days' ELSE interval '1 month' END`;
const BEGIN = `date_trunc(CASE s.every WHEN 'daily' THEN 'day' WHEN 'weekly' THEN 'week' ELSE 'month' END,
    now() AT TIME ZONE s.time_zone)`;
/** When a schedule is due in the period that begins at `begin`. A time that the clocks leave out is taken an hour later. */
const dueIn = (begin: string): string => `((${begin}) + s.at::time) AT TIME ZONE s.time_zone`;
const NEXT = `CASE WHEN ${dueIn(BEGIN)} > now() THEN ${dueIn(BEGIN)} ELSE ${dueIn(`${BEGIN} + ${PERIOD}`)} END`;
/** The begin of the period in which it was due last. */
const LAST = `CASE WHEN ${dueIn(BEGIN)} > now() THEN ${BEGIN} - ${PERIOD} ELSE ${BEGIN} END`;

const COLUMNS = `s.id, s.user_id AS "userId", s.type, s.format, s.request, s.every, s.at, s.time_zone AS "timeZone",
  s.next_at AS "nextAt", s.created_at AS "createdAt"`;

// SQL: database time
const ADD = `
  INSERT INTO export_schedules (id, user_id, type, format, request, every, at, time_zone, next_at)
  SELECT s.id, s.user_id, s.type, s.format, s.request, s.every, s.at, s.time_zone, ${NEXT}
  FROM (SELECT $1::uuid AS id, $2::uuid AS user_id, $3::text AS type, $4::text AS format, $5::jsonb AS request,
    $6::text AS every, $7::text AS at, $8::text AS time_zone) s
  RETURNING id`;

// SQL: a keyset
const LIST = `
  SELECT ${COLUMNS} FROM export_schedules s
  WHERE s.user_id = $1 AND ($3::timestamptz IS NULL OR (s.created_at, s.id) < ($3::timestamptz, $4::uuid))
  ORDER BY s.created_at DESC, s.id DESC LIMIT $2`;

// SQL: a lock
const LOCK_PERSON = `SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE`;

/** It looks at no zone: a schedule that cannot be made stands in the way of no other one. */
// SQL: a lock
const LOCK_DUE = `
  SELECT o.id FROM export_schedules o JOIN users u ON u.id = o.user_id AND ${canActSql('u')}
  WHERE o.next_at <= now() ORDER BY o.next_at LIMIT 1 FOR UPDATE OF o SKIP LOCKED`;

/** What was missed while no worker ran, or its person could not act, is not made up for, but for the last time. */
// SQL: database time
const TAKE = `
  UPDATE export_schedules s SET next_at = ${NEXT} WHERE s.id = $1
  RETURNING ${COLUMNS}, ${dueIn(LAST)} AS "dueAt", (${LAST}) AT TIME ZONE s.time_zone AS until,
    (${LAST} - ${PERIOD}) AT TIME ZONE s.time_zone AS "from"`;

// SQL: database time
const POSTPONE = `UPDATE export_schedules SET next_at = now() + $2 * interval '1 millisecond' WHERE id = $1 AND next_at <= now()`;

interface ScheduleRow extends Pick<
  ExportSchedule,
  'id' | 'userId' | 'type' | 'format' | 'every' | 'at' | 'timeZone' | 'nextAt' | 'createdAt'
> {
  [column: string]: unknown;
  readonly request: Pick<NewExportSchedule, 'deviceIds' | 'eventTypes' | 'columns'>;
}

/** The table of schedules. Their times are found by PostgreSQL, which knows the zones and what time it is. */
@Injectable()
export class ExportSchedulesRepository {
  constructor(private readonly database: Database) {}

  async add(id: string, userId: string, schedule: NewExportSchedule): Promise<void> {
    const { type, format, deviceIds, eventTypes, columns, every, at, timeZone } = schedule;
    const request = JSON.stringify({ deviceIds, eventTypes, columns });
    // Its times are found by PostgreSQL.
    const zone = databaseTimeZone(timeZone);
    await this.database.query('export_schedules_add', ADD, [id, userId, type, format, request, every, at, zone]);
  }

  /** Newest first, one more than `limit` if there are more. */
  async list(userId: string, limit: number, after: CreationPosition | null): Promise<ExportSchedule[]> {
    const values = [userId, limit + 1, ...(after ?? [null, null])];
    return (await this.database.query<ScheduleRow>('export_schedules_list', LIST, values)).map(toSchedule);
  }

  async find(id: string): Promise<ExportSchedule | null> {
    const row = await this.database.prisma((prisma) =>
      prisma.exportSchedule.findUnique({
        where: { id },
        select: {
          id: true,
          userId: true,
          type: true,
          format: true,
          request: true,
          every: true,
          at: true,
          timeZone: true,
          nextAt: true,
          createdAt: true,
        },
      }),
    );
    // The row holds what was checked when it was added.
    return row && toSchedule(row as unknown as ScheduleRow);
  }

  /** How many a person has; no other one is counted until the end of the transaction. */
  async count(userId: string): Promise<number> {
    // A statement of its own: who waited for the lock counts what was added meanwhile.
    await this.database.query('export_schedules_lock_person', LOCK_PERSON, [userId]);
    return this.database.prisma((prisma) => prisma.exportSchedule.count({ where: { userId } }));
  }

  async remove(id: string): Promise<void> {
    await this.database.prisma((prisma) => prisma.exportSchedule.deleteMany({ where: { id } }));
  }

  /** One whose time has come, which no other process takes until the end of the transaction; null when there is none. */
  async lockDue(): Promise<string | null> {
    const [row] = await this.database.query<{ id: string }>('export_schedules_lock_due', LOCK_DUE);
    return row?.id ?? null;
  }

  /** What is due of a schedule, which is due again later from now on. */
  async take(id: string): Promise<DueSchedule> {
    const [row] = await this.database.query<ScheduleRow & Pick<DueSchedule, 'dueAt' | 'from' | 'until'>>(
      'export_schedules_take',
      TAKE,
      [id],
    );
    if (!row) {
      throw new Error('A schedule is gone that was locked.');
    }
    return { ...toSchedule(row), dueAt: row.dueAt, from: row.from, until: row.until };
  }

  /** What was due of it is so still, later. */
  async postpone(id: string, ms: number): Promise<void> {
    await this.database.query('export_schedules_postpone', POSTPONE, [id, ms]);
  }
}

function toSchedule({
  request,
  id,
  userId,
  type,
  format,
  every,
  at,
  timeZone,
  nextAt,
  createdAt,
}: ScheduleRow): ExportSchedule {
  return { ...request, id, userId, type, format, every, at, timeZone, nextAt, createdAt };
}
