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

/** A time that lies ahead comes from a clock that was wrong: it is as old as it can be. */
// SQL: database time
const LATE = `
  SELECT rule, CASE WHEN failed_at IS NOT NULL THEN 'failed' WHEN NOT runs THEN 'stopped' ELSE 'behind' END AS state
  FROM (
    SELECT rule, failed_at, known_since,
      coalesce(ran_at, known_since) BETWEEN now() - ${STOPPED_AFTER} AND now() + interval '1 minute' AS runs,
      coalesce(caught_up_at, known_since) < now() - ${BEHIND_AFTER} AS behind
    FROM purge_runs WHERE rule = ANY ($1::text[])
  ) AS p WHERE failed_at IS NOT NULL OR NOT runs OR behind ORDER BY rule`;

/** A rule that does not do what it should: its last run failed, it does not run, or it does not catch up. */
export interface LateRule {
  readonly rule: string;
  readonly state: 'failed' | 'stopped' | 'behind';
}

/** When each purge rule last ran, whichever process ran it. */
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

  listLate(rules: readonly string[]): Promise<LateRule[]> {
    return this.database.query<LateRule & Record<string, unknown>>('purge_runs_late', LATE, [rules]);
  }
}
