import { Injectable } from '@nestjs/common';
import { Database } from '../prisma/database.js';

/** A rule that has not run well for so long does not run. */
const STOPPED_AFTER = `interval '1 hour'`;
/** A rule that deletes all the time, and yet leaves something for so long, gains nothing. */
const BEHIND_AFTER = `interval '24 hours'`;

// SQL: database time
const KNOW = `INSERT INTO purge_runs (rule) SELECT unnest($1::text[]) ON CONFLICT (rule) DO NOTHING`;

// SQL: database time
const ENDED = `
  INSERT INTO purge_runs AS p (rule, ran_at, caught_up_at) VALUES ($1, now(), CASE WHEN $2 THEN now() END)
  ON CONFLICT (rule) DO UPDATE SET ran_at = now(), failed_at = NULL,
    caught_up_at = coalesce(excluded.caught_up_at, p.caught_up_at)`;

// SQL: database time
const FAILED = `
  INSERT INTO purge_runs (rule, failed_at) VALUES ($1, now()) ON CONFLICT (rule) DO UPDATE SET failed_at = now()`;

// SQL: database time
const COUNT = `SELECT count_purged($1, $2, now() - $3 * interval '1 millisecond')`;

/** A time that lies ahead comes from a clock that was wrong: it is as old as it can be. */
// SQL: database time
const LIST = `
  SELECT n.rule, p.known_since AS "knownSince", p.ran_at AS "ranAt", p.caught_up_at AS "caughtUpAt", p.failed_at AS "failedAt",
    coalesce(p.deleted_total, 0)::float8 AS "deletedTotal", p.counted_since AS "countedSince",
    coalesce(p.unaudited, 0)::float8 AS unaudited,
    CASE WHEN p.failed_at IS NOT NULL THEN 'failed'
      WHEN (coalesce(p.ran_at, p.known_since) BETWEEN now() - ${STOPPED_AFTER} AND now() + interval '1 minute') IS NOT TRUE
        THEN 'stopped'
      WHEN coalesce(p.caught_up_at, p.known_since) < now() - ${BEHIND_AFTER} THEN 'behind' ELSE 'ok' END AS state
  FROM unnest($1::text[]) WITH ORDINALITY AS n (rule, place) LEFT JOIN purge_runs p ON p.rule = n.rule ORDER BY n.place`;

/** Whole days (UTC) that are over. Rows of which another transaction tells, or counts more at this moment, are for the next time. */
// SQL: a lock
const TAKE_UNAUDITED = `
  WITH due AS (
    SELECT rule, unaudited AS rows, unaudited_from AS "from", unaudited_until AS until, unaudited_cutoff AS cutoff
    FROM purge_runs WHERE unaudited > 0
      AND unaudited_from NOT BETWEEN date_trunc('day', now(), 'UTC') AND now() + interval '1 minute'
    ORDER BY rule LIMIT $1 FOR UPDATE SKIP LOCKED)
  UPDATE purge_runs p SET unaudited = 0, unaudited_from = NULL, unaudited_until = NULL, unaudited_cutoff = NULL
  FROM due WHERE p.rule = due.rule RETURNING due.rule, due.rows::float8, due."from", due.until, due.cutoff`;

/** `stopped`: it has not run well for an hour; `behind`: it has left something that is past its time for a day. */
export const PURGE_STATES = ['ok', 'failed', 'stopped', 'behind'] as const;

/** How a rule does, whichever processes run it. */
export interface PurgeRun {
  readonly rule: string;
  readonly state: (typeof PURGE_STATES)[number];
  /** Null: no process that runs it was there yet. */
  readonly knownSince: Date | null;
  readonly ranAt: Date | null;
  readonly caughtUpAt: Date | null;
  readonly failedAt: Date | null;
  /** Rows that it deleted since `countedSince`. */
  readonly deletedTotal: number;
  readonly countedSince: Date | null;
  /** Those of which the audit trail does not tell yet. */
  readonly unaudited: number;
}

/** What a rule deleted, of which the audit trail is to tell. */
export interface UnauditedRows {
  readonly rule: string;
  readonly rows: number;
  /** When the first and the last of them were deleted. */
  readonly from: Date;
  readonly until: Date;
  /** What had ended before then was past its time. */
  readonly cutoff: Date;
}

/** When each purge rule last ran, and how much it deleted, whichever process ran it. */
@Injectable()
export class PurgeRunsRepository {
  constructor(private readonly database: Database) {}

  /** From now on these rules are expected to run. */
  async expect(rules: readonly string[]): Promise<void> {
    await this.database.query('purge_runs_know', KNOW, [rules]);
  }

  /** @param caughtUp whether nothing is left that is past its time. */
  async recordEnd(rule: string, caughtUp: boolean): Promise<void> {
    await this.database.query('purge_runs_ended', ENDED, [rule, caughtUp]);
  }

  async recordFailure(rule: string): Promise<void> {
    await this.database.query('purge_runs_failed', FAILED, [rule]);
  }

  /** Counts rows that the surrounding transaction deleted. It is sent with COMMIT: other workers wait for the rule's row no longer. */
  async count(rule: string, deleted: number, keptMs: number): Promise<void> {
    await this.database.executeLast('purge_runs_count', COUNT, [rule, deleted, keptMs]);
  }

  /** In the order of `rules`. */
  list(rules: readonly string[]): Promise<PurgeRun[]> {
    return this.database.query<PurgeRun & Record<string, unknown>>('purge_runs_list', LIST, [rules]);
  }

  /** Takes what was deleted on days that are over, of at most `limit` rules: the caller tells the audit trail in the same transaction. */
  takeUnaudited(limit: number): Promise<UnauditedRows[]> {
    return this.database.query<UnauditedRows & Record<string, unknown>>('purge_runs_unaudited', TAKE_UNAUDITED, [
      limit,
    ]);
  }
}
