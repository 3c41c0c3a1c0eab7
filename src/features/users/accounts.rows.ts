import type { PlatformRole } from '../../platform/auth/principal.js';
import type { Account, AccountStatus } from './users.types.js';

/** What `status` means, in one place: a deleted account stays what it was underneath. */
const STATUS = `CASE WHEN u.deleted_at IS NOT NULL THEN 'deleted' WHEN u.blocked_at IS NOT NULL THEN 'blocked' ELSE 'active' END`;

export const ACCOUNT_COLUMNS = `u.id, u.email, u.username, u.display_name, u.role, ${STATUS} AS status,
  u.password_hash IS NOT NULL AS has_password, u.last_login_at, u.login_count, u.failed_attempts, u.blocked_at,
  u.deleted_at, u.version, u.created_at, u.updated_at`;

export const STATUS_CONDITIONS: Record<AccountStatus, string> = {
  active: 'u.deleted_at IS NULL AND u.blocked_at IS NULL',
  blocked: 'u.deleted_at IS NULL AND u.blocked_at IS NOT NULL',
  deleted: 'u.deleted_at IS NOT NULL',
};

export interface AccountRow {
  id: string;
  email: string;
  username: string | null;
  display_name: string;
  role: PlatformRole;
  status: AccountStatus;
  has_password: boolean;
  last_login_at: Date | null;
  login_count: number;
  failed_attempts: number;
  blocked_at: Date | null;
  deleted_at: Date | null;
  version: number;
  created_at: Date;
  updated_at: Date;
}

export function toAccount(row: AccountRow): Account {
  return {
    id: row.id,
    email: row.email,
    username: row.username,
    displayName: row.display_name,
    role: row.role,
    status: row.status,
    hasPassword: row.has_password,
    lastLoginAt: row.last_login_at,
    loginCount: row.login_count,
    failedAttempts: row.failed_attempts,
    blockedAt: row.blocked_at,
    deletedAt: row.deleted_at,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
