import { Injectable } from '@nestjs/common';
import { arrayParam } from '../../../platform/prisma/array-param.js';
import { Database } from '../../../platform/prisma/database.js';

/** The number that a person is sent text messages to. */
export interface Phone {
  readonly userId: string;
  readonly sealed: Buffer;
  readonly numberHash: Buffer;
  readonly masked: string;
  readonly verifiedAt: Date;
  readonly stoppedAt: Date | null;
  readonly stopReason: string | null;
}

/** Whose number is not used any more. */
export interface StoppedPhone {
  readonly userId: string;
  readonly masked: string;
}

// SQL: database time
const FIND = `
  SELECT user_id AS "userId", sealed, number_hash AS "numberHash", masked, verified_at AS "verifiedAt", stopped_at AS "stoppedAt",
    stop_reason AS "stopReason"
  FROM notification_phones WHERE user_id = $1`;

// SQL: a set-based batch
const REACHABLE = `
  SELECT user_id AS "userId" FROM notification_phones WHERE user_id = ANY (${arrayParam(1, 'uuid')}) AND stopped_at IS NULL`;

// SQL: database time
const SAVE = `
  INSERT INTO notification_phones (user_id, sealed, number_hash, masked) VALUES ($1, $2, $3, $4)
  ON CONFLICT (user_id) DO UPDATE SET sealed = EXCLUDED.sealed, number_hash = EXCLUDED.number_hash, masked = EXCLUDED.masked,
    verified_at = now(), stopped_at = NULL, stop_reason = NULL`;

/** What comes of a message says nothing of a number that was confirmed after it was sent. */
// SQL: database time
const STOP = `
  UPDATE notification_phones SET stopped_at = now(), stop_reason = $3
  WHERE number_hash = $1 AND stopped_at IS NULL
    AND verified_at < (SELECT created_at FROM sms_reservations WHERE id = $2)
  RETURNING user_id AS "userId", masked`;

// SQL: database time
const REMOVE = `DELETE FROM notification_phones WHERE user_id = $1 RETURNING masked`;

/** Numbers that people have shown to be theirs. */
@Injectable()
export class PhonesRepository {
  constructor(private readonly database: Database) {}

  async find(userId: string): Promise<Phone | null> {
    const [row] = await this.database.query<Phone & Record<string, unknown>>('phones_find', FIND, [userId]);
    return row ?? null;
  }

  /** Those of these people whose number takes text messages. */
  async reachable(userIds: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.database.query<{ userId: string }>('phones_reachable', REACHABLE, [userIds]);
    return new Set(rows.map(({ userId }) => userId));
  }

  /** In place of the one before. */
  async save({
    userId,
    sealed,
    numberHash,
    masked,
  }: Omit<Phone, 'verifiedAt' | 'stoppedAt' | 'stopReason'>): Promise<void> {
    await this.database.query('phones_save', SAVE, [userId, sealed, numberHash, masked]);
  }

  /** Of each person who has had this number since before the message. @returns those whose number was used until now */
  stop(numberHash: Buffer, smsId: string, reason: string): Promise<StoppedPhone[]> {
    const values = [numberHash, smsId, reason];
    return this.database.query<StoppedPhone & Record<string, unknown>>('phones_stop', STOP, values);
  }

  /** @returns it as its owner was shown it; null: there was none. */
  async remove(userId: string): Promise<string | null> {
    const [row] = await this.database.query<{ masked: string }>('phones_remove', REMOVE, [userId]);
    return row?.masked ?? null;
  }
}
