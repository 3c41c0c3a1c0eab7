import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';

/** Their account had sessions before, and none of them by the same program from the same address. */
// SQL: one round trip on a hot path: every login
const IS_NEW = `
  SELECT coalesce(bool_and(o.user_agent IS DISTINCT FROM s.user_agent OR o.address IS DISTINCT FROM s.address), false) AS "isNew"
  FROM sessions s JOIN sessions o ON o.user_id = s.user_id AND o.id <> s.id WHERE s.id = $1`;

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
