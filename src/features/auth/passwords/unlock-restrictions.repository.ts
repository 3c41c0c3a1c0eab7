import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';

const RESTRICTED = `now() + interval '24 hours'`;
const HELD = `email_since <= now() - interval '7 days'`;

/** A replaced address counts only after the first login: before it, the account had nothing to reach. */
// SQL: database time
const JUDGE = `
  UPDATE users SET unlock_after = CASE
    WHEN $2 THEN ${RESTRICTED}
    WHEN ${HELD} THEN NULL
    WHEN email_by_admin AND login_count > 0 THEN ${RESTRICTED}
    ELSE unlock_after END
  WHERE id = $1
  RETURNING coalesce(unlock_after > now(), false) AS restricted, ${HELD} AS "emailHeld"`;

export interface UnlockStanding {
  /** The account unlocks no door for now. */
  readonly restricted: boolean;
  /** The account has had its e-mail address for seven days. */
  readonly emailHeld: boolean;
}

/** Until when accounts unlock no door, and since when they have their e-mail addresses; by the database clock. */
@Injectable()
export class UnlockRestrictionsRepository {
  constructor(private readonly database: Database) {}

  /**
   * Restricts the account, or lifts its restriction, after a password was chosen by a secret that was handed out.
   * @param seenByAdmin an administrator saw that secret; otherwise it was mailed to the e-mail address of the account.
   */
  async judge(userId: string, seenByAdmin: boolean): Promise<UnlockStanding> {
    const [row] = await this.database.query<UnlockStanding & object>('unlock_judge', JUDGE, [userId, seenByAdmin]);
    return row ?? { restricted: true, emailHeld: false };
  }

  async lift(userId: string): Promise<void> {
    await this.database.prisma((prisma) =>
      prisma.user.updateMany({ where: { id: userId }, data: { unlockAfter: null } }),
    );
  }

  /** A trigger has noted since when the account has the e-mail address. */
  async markEmailReplaced(userId: string): Promise<void> {
    await this.database.prisma((prisma) =>
      prisma.user.updateMany({ where: { id: userId }, data: { emailByAdmin: true } }),
    );
  }
}
