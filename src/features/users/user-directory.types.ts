import type { PlatformRole } from '../../platform/auth/principal.js';
import type { AccountStatus } from './users.types.js';

export const ACCOUNT_SORT_KEYS = ['createdAt', 'lastLoginAt', 'email', 'displayName', 'role'] as const;
export type AccountSortKey = (typeof ACCOUNT_SORT_KEYS)[number];

/** Ascending, or descending with a leading minus. */
export const ACCOUNT_SORTS = ACCOUNT_SORT_KEYS.flatMap((key) => [key, `-${key}`] as const);
export type AccountSort = AccountSortKey | `-${AccountSortKey}`;

/** Which accounts; a range begins with its `from` and ends before its `to`. RFC 3339 each. */
export interface AccountFilter {
  readonly role?: PlatformRole;
  readonly status?: AccountStatus;
  readonly createdFrom?: string;
  readonly createdTo?: string;
  readonly lastLoginFrom?: string;
  readonly lastLoginTo?: string;
  /** Part of the e-mail address, username or display name. */
  readonly q?: string;
}

export interface AccountQuery extends AccountFilter {
  readonly sort: readonly AccountSort[];
  readonly limit: number;
  readonly cursor?: string;
}
