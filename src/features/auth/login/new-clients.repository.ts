import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';

/**
 * Their account was signed in to before, and it has no session by the same program from the same address. Of an account that slept,
 * none is left: that makes its next sign-in worth telling of, not less so.
 */
// SQL: one round trip on a hot path: every login
const IS_NEW = `
  SELECT (u.login_count > 1 OR EXISTS (SELECT FROM sessions o WHERE o.user_id = s.user_id AND o.id <> s.id))
    AND NOT EXISTS (SELECT FROM sessions o WHERE o.user_id = s.user_id AND o.id <> s.id
      AND o.user_agent IS NOT DISTINCT FROM s.user_agent AND o.address IS NOT DISTINCT FROM s.address) AS "isNew"
  FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1`;

/** Tells clients that sign in for the first time from those that did before. */
@Injectable()
export class NewClientsRepository {
  constructor(private readonly database: Database) {}

  /** @param sessionId of the sign-in */
  async isNew(sessionId: string): Promise<boolean> {
    const [row] = await this.database.query<{ isNew: boolean }>('clients_is_new', IS_NEW, [sessionId]);
    return row?.isNew ?? false;
  }
}
