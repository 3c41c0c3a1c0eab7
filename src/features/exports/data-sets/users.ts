import type { DataSet } from './data-set.types.js';

/** All accounts, as administrators see them. */
export const USERS: DataSet = {
  columns: {
    id: ['value', 'u.id'],
    email: ['text', 'u.email'],
    username: ['text', 'u.username'],
    displayName: ['text', 'u.display_name'],
    role: ['value', 'u.role'],
    status: [
      'value',
      `CASE WHEN u.deleted_at IS NOT NULL THEN 'deleted' WHEN u.blocked_at IS NOT NULL THEN 'blocked' ELSE 'active' END`,
    ],
    hasPassword: ['boolean', 'u.password_hash IS NOT NULL'],
    lastLoginAt: ['time', 'u.last_login_at'],
    loginCount: ['value', 'u.login_count'],
    failedAttempts: ['value', 'u.failed_attempts'],
    devices: ['value', '(SELECT count(*) FROM devices d WHERE d.owner_id = u.id)'],
    blockedAt: ['time', 'u.blocked_at'],
    deletedAt: ['time', 'u.deleted_at'],
    createdAt: ['time', 'u.created_at'],
    updatedAt: ['time', 'u.updated_at'],
    version: ['value', 'u.version'],
  },
  from: () => 'FROM users u ORDER BY u.id',
};
