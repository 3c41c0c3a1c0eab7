import { purgeRule } from '../../platform/scheduling/purge-registry.js';
import { AccountRemovalService } from './removal/account-removal.service.js';

/**
 * Accounts that were deleted long ago, with what is their own: devices that no one else can use, memberships, preferences.
 * It looks past those that others need, and counts accounts.
 */
export const DELETED_ACCOUNTS_PURGE = purgeRule({
  name: 'purge_deleted_accounts',
  everyMs: 600_000,
  tables: ['users', 'user_preferences', 'memberships', 'devices'],
  keptFor: 'deletedUsersMs',
  countsItself: true,
  from: [AccountRemovalService],
  purge: ({ limit, keptMs, count }, removal) => removal.purge(limit, keptMs, count),
});
