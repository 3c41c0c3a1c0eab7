import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';

/** Then another one is needed. */
export const CODE_LIFE_MINUTES = 10;
/** Codes that are compared with one that was sent, by whatever number of requests at once. */
export const MAX_TRIES = 5;
/** Before that, the same number is sent no other one. */
export const RESEND_AFTER_S = 60;

/** A code on its way to a number. */
export interface NewPhoneCode {
  readonly userId: string;
  /** Another one with each code. */
  readonly id: string;
  readonly sealed: Buffer;
  readonly numberHash: Buffer;
  readonly masked: string;
  readonly codeHash: Buffer;
}

/** A code that can still be typed. */
export interface PhoneCode extends NewPhoneCode {
  readonly tries: number;
  readonly sentAt: Date;
  readonly expiresAt: Date;
  /** It was sent so lately that no other one is. */
  readonly isFresh: boolean;
}

const COLUMNS = `user_id AS "userId", id, sealed, number_hash AS "numberHash", masked, code_hash AS "codeHash", tries,
  sent_at AS "sentAt", expires_at AS "expiresAt", sent_at > now() - interval '${String(RESEND_AFTER_S)} seconds' AS "isFresh"`;
const IS_GOOD = `expires_at > now() AND tries < ${String(MAX_TRIES)}`;

// SQL: database time
const FIND = `SELECT ${COLUMNS} FROM notification_phone_codes WHERE user_id = $1 AND ${IS_GOOD}`;

// SQL: database time
const SAVE = `
  INSERT INTO notification_phone_codes AS c (user_id, id, sealed, number_hash, masked, code_hash, expires_at)
  VALUES ($1, $2, $3, $4, $5, $6, now() + interval '${String(CODE_LIFE_MINUTES)} minutes')
  ON CONFLICT (user_id) DO UPDATE SET id = EXCLUDED.id, sealed = EXCLUDED.sealed, number_hash = EXCLUDED.number_hash,
    masked = EXCLUDED.masked, code_hash = EXCLUDED.code_hash, expires_at = EXCLUDED.expires_at, tries = 0, sent_at = now()`;

/** The lock on the row lets guesses in one by one, and after the last of them none. */
// SQL: database time
const TRY = `
  UPDATE notification_phone_codes SET tries = tries + 1 WHERE user_id = $1 AND ${IS_GOOD} RETURNING ${COLUMNS}`;

// SQL: database time
const USE = `DELETE FROM notification_phone_codes WHERE user_id = $1 AND id = $2 RETURNING id`;

// SQL: database time
const REMOVE = `DELETE FROM notification_phone_codes WHERE user_id = $1`;

/** Those that could not be typed any more for so long. */
// SQL: database time
const PURGE = `
  DELETE FROM notification_phone_codes WHERE user_id IN (
    SELECT user_id FROM notification_phone_codes WHERE expires_at < now() - $2 * interval '1 millisecond'
    LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING id`;

type CodeRow = PhoneCode & Record<string, unknown>;

/** Codes that were sent to numbers; a person has one at most. */
@Injectable()
export class PhoneCodesRepository {
  constructor(private readonly database: Database) {}

  /** Null where none can be typed. */
  async find(userId: string): Promise<PhoneCode | null> {
    const [row] = await this.database.query<CodeRow>('phone_codes_find', FIND, [userId]);
    return row ?? null;
  }

  /** The one before is void. */
  async save({ userId, id, sealed, numberHash, masked, codeHash }: NewPhoneCode): Promise<void> {
    const values = [userId, id, sealed, numberHash, masked, codeHash];
    await this.database.query('phone_codes_save', SAVE, values);
  }

  /** Counts a try before anything is compared, and outside of a transaction: it stands whatever comes of it. */
  async try(userId: string): Promise<PhoneCode | null> {
    const [row] = await this.database.query<CodeRow>('phone_codes_try', TRY, [userId]);
    return row ?? null;
  }

  /** @returns false when it was used, or another one took its place. */
  async use(userId: string, id: string): Promise<boolean> {
    return (await this.database.query('phone_codes_use', USE, [userId, id])).length > 0;
  }

  async remove(userId: string): Promise<void> {
    await this.database.query('phone_codes_remove', REMOVE, [userId]);
  }

  /** @returns how many of at most `limit` were forgotten. */
  async purge(limit: number, keptMs: number): Promise<number> {
    return (await this.database.query('phone_codes_purge', PURGE, [limit, keptMs])).length;
  }
}
