import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import type { PendingMail } from '../../contracts/mail.js';
import type { CreationPosition } from '../../shared/cursor.js';
import { newId } from '../../shared/ids.js';
import { deriveKey } from '../crypto/derived-key.js';
import { decrypt, encrypt } from '../crypto/encryption.js';
import { Database } from '../prisma/database.js';
import { isProcessGone, ProcessLock } from '../prisma/process-lock.js';

/** Cut, not rounded, to the column's milliseconds: rounded up, the mail would not be due yet. */
// SQL: database time
const ADD = `
  INSERT INTO mails (id, sealed, next_attempt_at)
  VALUES ($1, $2, date_trunc('milliseconds', now()) + $3 * interval '1 millisecond')`;

/** For the time that it takes to make jobs of them: those that a process was killed with are found again a second later. Cut as well. */
// SQL: a lock
const CLAIM_DUE = `
  UPDATE mails SET next_attempt_at = date_trunc('milliseconds', now()) + interval '1 second'
  WHERE id IN (SELECT id FROM mails WHERE status = 'PENDING' AND next_attempt_at <= now()
                ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING id AS "mailId", attempts + 1 AS attempt`;

/** Found again a minute later, should the job be lost. One that was begun meanwhile has a time of its own. */
// SQL: database time
const QUEUED = `
  UPDATE mails SET next_attempt_at = now() + interval '1 minute'
  WHERE id = ANY ($1::uuid[]) AND status = 'PENDING' AND next_attempt_at <= now() + interval '1 second'`;

/**
 * Each attempt has one winner, however often its job turns up. The job of a process that is gone turns up again, and makes the next
 * attempt in its place.
 */
// SQL: database time
const BEGIN_ATTEMPT = `
  UPDATE mails SET attempts = attempts + 1, worker = $3::bigint, next_attempt_at = now() + interval '2 minutes'
  WHERE id = $1 AND status = 'PENDING'
    AND (attempts = $2::int - 1 OR (attempts >= $2::int AND ${isProcessGone('worker')}))
  RETURNING sealed, attempts`;

// SQL: database time
const SENT = `
  UPDATE mails SET status = 'SENT', sent_at = now(), sealed = '', worker = NULL, last_error = NULL
  WHERE id = $1 AND status = 'PENDING' AND attempts = $2::int RETURNING id`;

// SQL: database time
const POSTPONE = `
  UPDATE mails SET worker = NULL, next_attempt_at = now() + $3 * interval '1 millisecond', last_error = $4
  WHERE id = $1 AND status = 'PENDING' AND attempts = $2::int RETURNING id`;

/** What it says is kept, sealed, for the one who sends it again. */
// SQL: database time
const GIVE_UP = `
  UPDATE mails SET status = 'FAILED', worker = NULL, next_attempt_at = now(), last_error = $3
  WHERE id = $1 AND status = 'PENDING' AND attempts = $2::int RETURNING id`;

// SQL: a keyset
const GIVEN_UP = `
  SELECT id, sealed, attempts, last_error AS "lastError", next_attempt_at AS "failedAt" FROM mails
  WHERE status = 'FAILED' AND ($2::timestamptz IS NULL OR (next_attempt_at, id) < ($2::timestamptz, $3::uuid))
  ORDER BY next_attempt_at DESC, id DESC LIMIT $1`;

/** Attempts are counted on: what is left of an earlier one changes nothing. */
// SQL: database time
const SEND_AGAIN = `
  UPDATE mails SET status = 'PENDING', next_attempt_at = now(), last_error = NULL
  WHERE id = $1 AND status = 'FAILED' AND sealed <> '' RETURNING id`;

// SQL: a set-based batch
const GIVE_UP_ALL = `
  WITH ended AS (UPDATE mails SET status = 'FAILED', sealed = '', worker = NULL, next_attempt_at = now(),
    last_error = $1 WHERE status = 'PENDING' RETURNING 1)
  SELECT count(*)::int AS ended FROM ended`;

// SQL: database time
const BACKLOG = `
  SELECT count(*)::int AS waiting, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS "oldestS"
  FROM mails WHERE status = 'PENDING'`;

// SQL: database time
const PURGE = `
  DELETE FROM mails WHERE id IN (
    SELECT id FROM mails WHERE status IN ('SENT', 'FAILED') AND next_attempt_at < now() - $2 * interval '1 millisecond'
    LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING id`;

/** One attempt to send one mail. */
export interface MailAttempt {
  readonly mailId: string;
  /** From 1. */
  readonly attempt: number;
}

/** A mail that was given up. */
export interface GivenUpMail {
  readonly id: string;
  /** Null where it is not kept what it says. */
  readonly pending: PendingMail | null;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly failedAt: Date;
}

type GivenUpRow = Omit<GivenUpMail, 'pending'> & { readonly sealed: Buffer } & Record<string, unknown>;

/** A mail, and the attempt to send it that has begun. */
interface BegunMail {
  readonly pending: PendingMail;
  readonly attempt: MailAttempt;
}

/** The table of mails on their way, with every time read from the database clock. */
@Injectable()
export class MailOutbox {
  readonly #key: Buffer;

  constructor(
    config: AppConfig,
    private readonly database: Database,
    private readonly process: ProcessLock,
  ) {
    this.#key = deriveKey(config.masterKey(), 'seal_mails');
  }

  /** @param afterMs how long it is left alone first */
  async add(mail: PendingMail, afterMs = 0): Promise<void> {
    const id = newId();
    const sealed = encrypt(this.#key, Buffer.from(JSON.stringify(mail)), aadOf(id));
    await this.database.query('mails_add', ADD, [id, sealed, afterMs]);
  }

  /** Mails whose next attempt is due. No other process is given them for a second, or for a minute once they are {@link queued}. */
  claimDue(limit: number): Promise<MailAttempt[]> {
    return this.database.query<{ mailId: string; attempt: number }>('mails_claim_due', CLAIM_DUE, [limit]);
  }

  /** There are jobs of these. */
  async queued(mailIds: readonly string[]): Promise<void> {
    await this.database.query('mails_queued', QUEUED, [mailIds]);
  }

  /** The mail, if this attempt has not been made before, or by a process that is gone: then it is the attempt after that one. */
  async beginAttempt({ mailId, attempt }: MailAttempt): Promise<BegunMail | null> {
    const values = [mailId, attempt, await this.process.hold()];
    const [row] = await this.database.query<{ sealed: Buffer; attempts: number }>(
      'mails_begin_attempt',
      BEGIN_ATTEMPT,
      values,
    );
    return row ? { pending: this.unsealed(mailId, row.sealed), attempt: { mailId, attempt: row.attempts } } : null;
  }

  async sent({ mailId, attempt }: MailAttempt): Promise<void> {
    await this.database.query('mails_sent', SENT, [mailId, attempt]);
  }

  async postpone({ mailId, attempt }: MailAttempt, delayMs: number, reason: string): Promise<void> {
    await this.database.query('mails_postpone', POSTPONE, [mailId, attempt, delayMs, reason]);
  }

  async giveUp({ mailId, attempt }: MailAttempt, reason: string): Promise<void> {
    await this.database.query('mails_give_up', GIVE_UP, [mailId, attempt, reason]);
  }

  /** The latest first, one more than `limit` if there are more. */
  async givenUp(limit: number, after: CreationPosition | null): Promise<GivenUpMail[]> {
    const values = [limit + 1, ...(after ?? [null, null])];
    const rows = await this.database.query<GivenUpRow>('mails_given_up', GIVEN_UP, values);
    return rows.map(({ sealed, ...row }) => ({
      ...row,
      pending: sealed.length === 0 ? null : this.unsealed(row.id, sealed),
    }));
  }

  /** Lets a mail that was given up have as many attempts again. */
  async sendAgain(id: string): Promise<'replayed' | 'gone' | 'not_replayable'> {
    if ((await this.database.query('mails_send_again', SEND_AGAIN, [id])).length === 1) {
      return 'replayed';
    }
    const where = { id, status: 'FAILED' };
    return (await this.database.prisma((prisma) => prisma.mail.count({ where }))) > 0 ? 'not_replayable' : 'gone';
  }

  /** Forgets a mail that was given up. @returns false when there is none */
  async discard(id: string): Promise<boolean> {
    const where = { id, status: 'FAILED' };
    return (await this.database.prisma((prisma) => prisma.mail.deleteMany({ where }))).count === 1;
  }

  /** Gives up every mail that waits. @returns how many */
  async giveUpAll(reason: string): Promise<number> {
    const [row] = await this.database.query<{ ended: number }>('mails_give_up_all', GIVE_UP_ALL, [reason]);
    return row?.ended ?? 0;
  }

  /** Mails that are not sent yet, and the age of the oldest. */
  async backlog(): Promise<{ waiting: number; oldestS: number }> {
    const [row] = await this.database.query<{ waiting: number; oldestS: number }>('mails_backlog', BACKLOG);
    return row ?? { waiting: 0, oldestS: 0 };
  }

  /** @returns how many of at most `limit` were forgotten. */
  async purge(limit: number, keptMs: number): Promise<number> {
    return (await this.database.query('mails_purge', PURGE, [limit, keptMs])).length;
  }

  private unsealed(mailId: string, sealed: Buffer): PendingMail {
    return JSON.parse(decrypt(this.#key, sealed, aadOf(mailId)).toString()) as PendingMail;
  }
}

function aadOf(mailId: string): string {
  return `mails.sealed.${mailId}`;
}
