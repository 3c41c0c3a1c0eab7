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

const MAILS_OF_ORIGIN = 5;
const MAILS_IN_ALL = 10;
/** Above `MAILS_IN_ALL` only the first one of an origin is admitted. */
const MAILS_OF_NEWCOMERS = 30;
const THIS_HOUR = `date_bin('1 hour', now(), timestamptz 'epoch')`;

/** The row locks decide: of any number at once, only as many are admitted as are left. */
// SQL: database time
const COUNT_MAIL = `
  WITH of_origin AS (
    INSERT INTO alert_windows AS w (kind, subject, window_start, failures)
    VALUES ('mails_asked_for', $2, ${THIS_HOUR}, 1)
    ON CONFLICT (kind, subject, window_start) DO UPDATE SET failures = w.failures + 1
    WHERE w.failures < ${String(MAILS_OF_ORIGIN)}
    RETURNING failures
  ), in_all AS (
    INSERT INTO alert_windows AS w (kind, subject, window_start, failures)
    SELECT 'mails_asked_for', $1, ${THIS_HOUR}, 1 FROM of_origin
    ON CONFLICT (kind, subject, window_start) DO UPDATE SET failures = w.failures + 1
    WHERE w.failures < CASE WHEN (SELECT failures FROM of_origin) = 1
                            THEN ${String(MAILS_OF_NEWCOMERS)} ELSE ${String(MAILS_IN_ALL)} END
    RETURNING 1
  )
  SELECT EXISTS (SELECT FROM in_all) OR ($3::boolean AND EXISTS (SELECT FROM of_origin)) AS admitted,
         ceil(extract(epoch FROM ${THIS_HOUR} + interval '1 hour' - now()))::int AS "retryAfter"`;

// SQL: database time
const PURGE = `
  DELETE FROM alert_windows WHERE (kind, subject, window_start) IN (
    SELECT kind, subject, window_start FROM alert_windows WHERE window_start < now() - $2 * interval '1 millisecond'
    LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING 1`;

export interface FailureCount {
  readonly subject: string;
  /** In the last minute. */
  readonly failures: number;
}

export interface MailDecision {
  readonly admitted: boolean;
  /** Seconds until the counts begin anew. */
  readonly retryAfter: number;
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

  /**
   * Counts a mail to a mailbox, unless it is one too many.
   * @param mail `subject` stands for the mailbox, `ofOrigin` for the mailbox and who causes the mail; `isPrivileged`: only the
   *   limit of the origin holds.
   */
  async countMail(mail: { subject: string; ofOrigin: string; isPrivileged: boolean }): Promise<MailDecision> {
    const values = [mail.subject, mail.ofOrigin, mail.isPrivileged];
    const [row] = await this.database.query<MailDecision & object>('login_windows_mail', COUNT_MAIL, values);
    return row ?? { admitted: false, retryAfter: 1 };
  }

  /** @returns how many of at most `limit` were deleted. */
  async purge(limit: number, keptMs: number): Promise<number> {
    return (await this.database.query('login_windows_purge', PURGE, [limit, keptMs])).length;
  }
}
