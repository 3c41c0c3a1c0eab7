import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';

/**
 * Counts in windows of ten seconds, and adds those of the last minute: seven windows, so that no minute falls between two
 * of them. Subjects come in order, so that two of these never wait for each other.
 */
// SQL: one round trip on a hot path: every failed login
const COUNT_FAILURE = `
  WITH counted AS (
    INSERT INTO alert_windows AS w (kind, subject, window_start, failures)
    SELECT 'login_failures', subject, date_bin('10 seconds', now(), timestamptz 'epoch'), 1
    FROM unnest($1::text[]) AS subject ORDER BY subject
    ON CONFLICT (kind, subject, window_start) DO UPDATE SET failures = w.failures + 1
    RETURNING subject, window_start, failures
  )
  SELECT c.subject, (c.failures + coalesce(sum(earlier.failures), 0))::int AS failures
  FROM counted AS c LEFT JOIN alert_windows AS earlier
    ON earlier.kind = 'login_failures' AND earlier.subject = c.subject
   AND earlier.window_start < c.window_start AND earlier.window_start > now() - interval '70 seconds'
  GROUP BY c.subject, c.failures`;

/** One in a minute, however many processes detect the burst: the primary key decides. */
// SQL: database time
const RAISE = `
  INSERT INTO alert_windows (kind, subject, window_start, failures)
  SELECT 'system_alert', $1, date_bin('1 minute', now(), timestamptz 'epoch'), $2
  WHERE NOT EXISTS (SELECT FROM alert_windows WHERE kind = 'system_alert' AND subject = $1
                                                AND window_start > now() - interval '2 minutes')
  ON CONFLICT DO NOTHING
  RETURNING 1`;

// SQL: database time
const COUNT_MAIL = `
  INSERT INTO alert_windows AS w (kind, subject, window_start, failures)
  VALUES ('mails_asked_for', $1, date_bin('1 hour', now(), timestamptz 'epoch'), 1)
  ON CONFLICT (kind, subject, window_start) DO UPDATE SET failures = w.failures + 1
  RETURNING failures`;

// SQL: database time
const PURGE = `
  DELETE FROM alert_windows WHERE (kind, subject, window_start) IN (
    SELECT kind, subject, window_start FROM alert_windows WHERE window_start < now() - interval '2 hours' LIMIT $1)
  RETURNING 1`;

export interface FailureCount {
  readonly subject: string;
  /** In the last minute. */
  readonly failures: number;
}

/** Counts by window of time, shared by all processes, by the database clock. */
@Injectable()
export class LoginWindowsRepository {
  constructor(private readonly database: Database) {}

  countFailure(subjects: readonly string[]): Promise<FailureCount[]> {
    return this.database.query<{ subject: string; failures: number }>('login_windows_count', COUNT_FAILURE, [subjects]);
  }

  /** @returns whether this caller raises the alert; false when another one did. */
  async raise(subject: string, failures: number): Promise<boolean> {
    return (await this.database.query('login_windows_raise', RAISE, [subject, failures])).length > 0;
  }

  /** @returns how many mails were requested in this hour, this one included. */
  async countMail(subject: string): Promise<number> {
    const [row] = await this.database.query<{ failures: number }>('login_windows_mail', COUNT_MAIL, [subject]);
    return row?.failures ?? 1;
  }

  /** @returns how many of at most `limit` were deleted. */
  async purge(limit: number): Promise<number> {
    return (await this.database.query('login_windows_purge', PURGE, [limit])).length;
  }
}
