import { canActSql } from './account-standing.types.js';
import type { Account, AccountStatus } from './users.types.js';

/** An {@link Account} in SQL. */
export const ACCOUNT_COLUMNS = `u.id, u.email, u.username, u.display_name AS "displayName", u.role,
  CASE WHEN u.deleted_at IS NOT NULL THEN 'deleted' WHEN u.blocked_at IS NOT NULL THEN 'blocked' ELSE 'active' END AS status,
  u.password_hash IS NOT NULL AS "hasPassword", u.last_login_at AS "lastLoginAt", u.login_count AS "loginCount",
  u.failed_attempts AS "failedAttempts", u.blocked_at AS "blockedAt", u.deleted_at AS "deletedAt", u.version,
  u.created_at AS "createdAt", u.updated_at AS "updatedAt"`;

export const STATUS_CONDITIONS: Record<AccountStatus, string> = {
  active: canActSql('u'),
  blocked: 'u.deleted_at IS NULL AND u.blocked_at IS NOT NULL',
  deleted: 'u.deleted_at IS NOT NULL',
};

/** What Prisma Client selects for {@link toAccount}. */
export const ACCOUNT = {
  id: true,
  email: true,
  username: true,
  displayName: true,
  passwordHash: true,
  role: true,
  lastLoginAt: true,
  loginCount: true,
  failedAttempts: true,
  blockedAt: true,
  deletedAt: true,
  version: true,
  createdAt: true,
  updatedAt: true,
} as const;

type AccountRow = Omit<Account, 'status' | 'hasPassword'> & { readonly passwordHash: string | null };

/** A deleted account stays blocked underneath, and is so again when it is restored. */
export function toAccount({ passwordHash, ...row }: AccountRow): Account {
  const status = row.deletedAt ? 'deleted' : row.blockedAt ? 'blocked' : 'active';
  return { ...row, status, hasPassword: passwordHash !== null };
}
