import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';

const OPEN = 's.user_id IS NULL AND s.token_expires_at > now()';

// SQL: database time
const ACCEPT = `UPDATE device_shares s SET user_id = $1, token_hash = NULL, token_expires_at = NULL
  FROM users u
  WHERE u.id = $1 AND s.email = u.email AND ${OPEN}
    AND EXISTS (SELECT FROM device_shares t WHERE t.token_hash = $2 AND t.email = u.email AND t.user_id IS NULL AND t.token_expires_at > now())
    AND NOT EXISTS (SELECT FROM device_shares h WHERE h.device_id = s.device_id AND h.user_id = $1)
  RETURNING s.id, s.device_id AS "deviceId"`;

// SQL: a set-based batch
const PURGE = `DELETE FROM device_shares WHERE id IN (
    SELECT id FROM device_shares s
    WHERE s.valid_until < now() - $2 * interval '1 millisecond'
      OR s.token_expires_at < now() - $2 * interval '1 millisecond'
    LIMIT $1 FOR UPDATE SKIP LOCKED
  ) RETURNING id`;

/** Shares whose recipients have no account yet, or have not followed the mailed link. */
@Injectable()
export class ShareInvitationsRepository {
  constructor(private readonly database: Database) {}

  /**
   * Binds everything that waits for the address of this account, if the token is one of it: who has read the mail has shown
   * that the mailbox is theirs. One statement, so that a token is accepted once.
   * @returns what was accepted; nothing when the token is not valid, or not for this account
   */
  accept(userId: string, tokenHash: Buffer): Promise<{ id: string; deviceId: string }[]> {
    return this.database.query('share_invitations_accept', ACCEPT, [userId, tokenHash]);
  }

  /** Ends the tokens of all shares that wait. @returns how many */
  async revokeAll(): Promise<number> {
    const { count } = await this.database.prisma((prisma) =>
      prisma.deviceShare.updateMany({
        where: { userId: null, tokenHash: { not: null } },
        data: { tokenHash: null, tokenExpiresAt: new Date(0) },
      }),
    );
    return count;
  }

  /** Deletes shares that are over, and those that were never accepted. @returns how many, at most `limit`. */
  async purge(limit: number, keptMs: number): Promise<number> {
    return (await this.database.query('shares_purge', PURGE, [limit, keptMs])).length;
  }
}
