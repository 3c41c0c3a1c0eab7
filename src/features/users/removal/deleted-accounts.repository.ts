import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';

const IS_OVERDUE = `u.deleted_at < now() - $1 * interval '1 millisecond'`;

// SQL: a keyset
const LIST_OVERDUE = `
  SELECT u.id, u.deleted_at AS "deletedAt" FROM users u
  WHERE ${IS_OVERDUE} AND ($3::timestamptz IS NULL OR (u.deleted_at, u.id) > ($3, $4::uuid))
  ORDER BY u.deleted_at, u.id LIMIT $2`;

/** One that another transaction has locked is being changed, perhaps restored: there is another day. */
// SQL: a lock
const LOCK_OVERDUE = `
  SELECT u.id, u.deleted_at AS "deletedAt" FROM users u WHERE u.id = $2 AND ${IS_OVERDUE} FOR UPDATE SKIP LOCKED`;

/** An account that is deleted, and can be restored. */
export interface DeletedAccount {
  readonly id: string;
  readonly deletedAt: Date;
}

/** Deleted accounts on their way out. */
@Injectable()
export class DeletedAccountsRepository {
  constructor(private readonly database: Database) {}

  /** Deleted `keptMs` ago or earlier, the oldest first, from after `after` on. */
  listOverdue(keptMs: number, after: DeletedAccount | null, limit: number): Promise<DeletedAccount[]> {
    const values = [keptMs, limit, after?.deletedAt ?? null, after?.id ?? null];
    return this.database.query<DeletedAccount & Record<string, unknown>>('deleted_accounts_list', LIST_OVERDUE, values);
  }

  /** Locks one of them until the transaction ends. @returns null when it is none any more, or another transaction has it. */
  async lockOverdue(id: string, keptMs: number): Promise<DeletedAccount | null> {
    const [row] = await this.database.query<DeletedAccount & Record<string, unknown>>(
      'deleted_accounts_lock',
      LOCK_OVERDUE,
      [keptMs, id],
    );
    return row ?? null;
  }

  /** Removes an account that this transaction has locked, with its sessions, tokens, preferences and memberships. */
  async remove(id: string): Promise<void> {
    await this.database.prisma((prisma) => prisma.user.delete({ where: { id }, select: { id: true } }));
  }
}
