import { Injectable } from '@nestjs/common';
import { arrayParam } from '../../../platform/prisma/array-param.js';
import { Database } from '../../../platform/prisma/database.js';

/** Of the clock and the calendar, in UTC. */
export type CountedPeriod = 'hour' | 'day' | 'month';

/** So much of something bounded. */
export interface SmsCharge {
  readonly subject: string;
  readonly period: CountedPeriod;
  readonly amount: number;
  /** What there is of it in the period. */
  readonly limit: number;
}

/** How it stands with a count after a charge. */
export interface CountStanding {
  readonly subject: string;
  readonly used: number;
  /** The highest percentage that operators were told of. */
  readonly told: number;
  /** Until the period ends. */
  readonly endsInS: number;
}

/** The rows come in order, so that two of these never wait for each other. A row that is charged is locked until the transaction ends. */
// SQL: a set-based batch
const ADD = `
  WITH charged AS (
    INSERT INTO sms_counts AS c (subject, begins_at, used)
    SELECT subject, date_trunc(period, now(), 'UTC'), amount
    FROM unnest(${arrayParam(1, 'text')}, ${arrayParam(2, 'text')}, ${arrayParam(3, 'int')}) AS a(subject, period, amount)
    ORDER BY subject
    ON CONFLICT (subject, begins_at) DO UPDATE SET used = c.used + EXCLUDED.used
    RETURNING subject, used, told)
  SELECT c.subject, c.used, c.told,
    ceil(extract(epoch FROM date_trunc(a.period, now(), 'UTC') + ('1 ' || a.period)::interval - now()))::int AS "endsInS"
  FROM charged c JOIN unnest(${arrayParam(1, 'text')}, ${arrayParam(2, 'text')}) AS a(subject, period) USING (subject)`;

/** In the transaction that charged. */
// SQL: a set-based batch
const TAKE_BACK = `
  UPDATE sms_counts c SET used = c.used - a.amount
  FROM unnest(${arrayParam(1, 'text')}, ${arrayParam(2, 'text')}, ${arrayParam(3, 'int')}) AS a(subject, period, amount)
  WHERE c.subject = a.subject AND c.begins_at = date_trunc(a.period, now(), 'UTC')`;

// SQL: database time
const TELL = `UPDATE sms_counts SET told = $2 WHERE subject = $1 AND begins_at = date_trunc('month', now(), 'UTC') AND told < $2`;

/** A message is in the budget once: it waits here for who is about to put it there, and learns that it is. */
// SQL: database time
const RESERVE = `
  INSERT INTO sms_reservations AS r (id, subjects, month, segments)
  VALUES ($1, ${arrayParam(2, 'text')}, date_trunc('month', now(), 'UTC'), $3)
  ON CONFLICT (id) DO UPDATE SET attempts = r.attempts + 1
  RETURNING attempts`;

// SQL: database time
const UNRESERVE = `DELETE FROM sms_reservations WHERE id = $1`;

/** Not where there was another attempt: it may have been sent by that one. */
// SQL: a lock
const GIVE_BACK = `
  WITH given AS (DELETE FROM sms_reservations WHERE id = $1 AND attempts = 1 RETURNING subjects, month, segments),
  held AS (
    SELECT c.subject, c.begins_at, g.segments FROM given g JOIN sms_counts c ON c.subject = ANY (g.subjects) AND c.begins_at = g.month
    ORDER BY c.subject FOR UPDATE OF c)
  UPDATE sms_counts c SET used = c.used - h.segments FROM held h WHERE c.subject = h.subject AND c.begins_at = h.begins_at`;

// SQL: database time
const USED = `SELECT coalesce(sum(used), 0)::int AS used FROM sms_counts WHERE subject = $1 AND begins_at = date_trunc('month', now(), 'UTC')`;

// SQL: database time
const PURGE_COUNTS = `
  DELETE FROM sms_counts WHERE (subject, begins_at) IN (
    SELECT subject, begins_at FROM sms_counts WHERE begins_at < now() - $2 * interval '1 millisecond'
    LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING subject`;

// SQL: database time
const PURGE_RESERVATIONS = `
  DELETE FROM sms_reservations WHERE id IN (
    SELECT id FROM sms_reservations WHERE created_at < now() - $2 * interval '1 millisecond'
    LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING id`;

/** Counts what is bounded about text messages, by any number of processes at once. */
@Injectable()
export class SmsCountsRepository {
  constructor(private readonly database: Database) {}

  /** Whatever the limits. In a transaction: the rows stay locked until its end. */
  add(charges: readonly SmsCharge[]): Promise<CountStanding[]> {
    return this.database.query<CountStanding & Record<string, unknown>>('sms_counts_add', ADD, columnsOf(charges));
  }

  /** In the transaction that added it. */
  async takeBack(charges: readonly SmsCharge[]): Promise<void> {
    await this.database.query('sms_counts_take_back', TAKE_BACK, columnsOf(charges));
  }

  /** Operators were told that so many percent are used. */
  async tell(subject: string, percent: number): Promise<void> {
    await this.database.query('sms_counts_tell', TELL, [subject, percent]);
  }

  /** @returns whether this is the first attempt: it is not in the counts yet. */
  async reserve(id: string, subjects: readonly string[], segments: number): Promise<boolean> {
    const [row] = await this.database.query<{ attempts: number }>('sms_reserve', RESERVE, [id, subjects, segments]);
    return row?.attempts === 1;
  }

  async unreserve(id: string): Promise<void> {
    await this.database.query('sms_unreserve', UNRESERVE, [id]);
  }

  /** It was not sent. */
  async giveBack(id: string): Promise<void> {
    await this.database.query('sms_give_back', GIVE_BACK, [id]);
  }

  /** In this month. */
  async usedOf(subject: string): Promise<number> {
    const [row] = await this.database.query<{ used: number }>('sms_used', USED, [subject]);
    return row?.used ?? 0;
  }

  /** @returns how many of at most `limit` were forgotten. */
  async purgeCounts(limit: number, keptMs: number): Promise<number> {
    return (await this.database.query('sms_counts_purge', PURGE_COUNTS, [limit, keptMs])).length;
  }

  /** @returns how many of at most `limit` were forgotten. */
  async purgeReservations(limit: number, keptMs: number): Promise<number> {
    return (await this.database.query('sms_reservations_purge', PURGE_RESERVATIONS, [limit, keptMs])).length;
  }
}

function columnsOf(charges: readonly SmsCharge[]): unknown[] {
  return [
    charges.map(({ subject }) => subject),
    charges.map(({ period }) => period),
    charges.map(({ amount }) => amount),
  ];
}
