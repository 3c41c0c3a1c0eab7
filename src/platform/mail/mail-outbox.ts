import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import type { PendingMail } from '../../contracts/mail.js';
import { newId } from '../../shared/ids.js';
import { deriveKey } from '../crypto/derived-key.js';
import { decrypt, encrypt } from '../crypto/encryption.js';
import { Database } from '../prisma/database.js';

/** Cut, not rounded, to the column's milliseconds: rounded up, the mail would not be due yet. */
// SQL: database time
const ADD = `
  INSERT INTO mails (id, sealed, next_attempt_at)
  VALUES ($1, $2, date_trunc('milliseconds', now()) + $3 * interval '1 millisecond')`;

/** Found again a minute later, should the job be lost. */
// SQL: a lock
const CLAIM_DUE = `
  UPDATE mails SET next_attempt_at = now() + interval '1 minute'
  WHERE id IN (SELECT id FROM mails WHERE status = 'PENDING' AND next_attempt_at <= now()
                ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING id AS "mailId", attempts + 1 AS attempt`;

/** Each attempt has one winner, however often its job turns up. */
// SQL: database time
const BEGIN_ATTEMPT = `
  UPDATE mails SET attempts = $2::int, next_attempt_at = now() + interval '2 minutes'
  WHERE id = $1 AND status = 'PENDING' AND attempts = $2::int - 1
  RETURNING sealed`;

// SQL: database time
const SENT = `
  UPDATE mails SET status = 'SENT', sent_at = now(), sealed = '', last_error = NULL
  WHERE id = $1 AND status = 'PENDING' AND attempts = $2::int RETURNING id`;

// SQL: database time
const POSTPONE = `
  UPDATE mails SET next_attempt_at = now() + $3 * interval '1 millisecond', last_error = $4
  WHERE id = $1 AND status = 'PENDING' AND attempts = $2::int RETURNING id`;

// SQL: a set-based batch
const GIVE_UP_ALL = `
  WITH ended AS (UPDATE mails SET status = 'FAILED', sealed = '', last_error = $1 WHERE status = 'PENDING' RETURNING 1)
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

/** The table of mails on their way, with every time read from the database clock. */
@Injectable()
export class MailOutbox {
  readonly #key: Buffer;

  constructor(
    config: AppConfig,
    private readonly database: Database,
  ) {
    this.#key = deriveKey(config.masterKey(), 'seal_mails');
  }

  /** @param afterMs how long it is left alone first */
  async add(mail: PendingMail, afterMs = 0): Promise<void> {
    const id = newId();
    const sealed = encrypt(this.#key, Buffer.from(JSON.stringify(mail)), aadOf(id));
    await this.database.query('mails_add', ADD, [id, sealed, afterMs]);
  }

  /** Mails whose next attempt is due. No other process is given them for a minute. */
  claimDue(limit: number): Promise<MailAttempt[]> {
    return this.database.query<{ mailId: string; attempt: number }>('mails_claim_due', CLAIM_DUE, [limit]);
  }

  /** The mail, if this attempt has not been made before. */
  async beginAttempt({ mailId, attempt }: MailAttempt): Promise<PendingMail | null> {
    const values = [mailId, attempt];
    const [row] = await this.database.query<{ sealed: Buffer }>('mails_begin_attempt', BEGIN_ATTEMPT, values);
    return row ? (JSON.parse(decrypt(this.#key, row.sealed, aadOf(mailId)).toString()) as PendingMail) : null;
  }

  async sent({ mailId, attempt }: MailAttempt): Promise<void> {
    await this.database.query('mails_sent', SENT, [mailId, attempt]);
  }

  async postpone({ mailId, attempt }: MailAttempt, delayMs: number, reason: string): Promise<void> {
    await this.database.query('mails_postpone', POSTPONE, [mailId, attempt, delayMs, reason]);
  }

  async giveUp({ mailId, attempt }: MailAttempt, reason: string): Promise<void> {
    await this.database.prisma((prisma) =>
      prisma.mail.updateMany({
        where: { id: mailId, status: 'PENDING', attempts: attempt },
        data: { status: 'FAILED', sealed: new Uint8Array(), lastError: reason },
      }),
    );
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
}

function aadOf(mailId: string): string {
  return `mails.sealed.${mailId}`;
}
