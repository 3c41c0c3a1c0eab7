import { isUuid } from '../../shared/ids.js';
import { isInstant } from '../../shared/instant.js';
import { PLATFORM_ROLES } from '../../platform/auth/principal.js';
import type { AccountSort, AccountSortKey } from './user-directory.types.js';
import type { AccountPosition, SortStep } from './user-list-sql.js';
import { InvalidUserCursorError } from './users.errors.js';

/** Whether a key of a cursor is one that PostgreSQL can read. */
const READABLE: Record<AccountSortKey, (key: string) => boolean> = {
  createdAt: isInstant,
  lastLoginAt: isInstant,
  email: isText,
  displayName: isText,
  role: (key) => PLATFORM_ROLES.some((role) => role === key),
};

export function toSteps(sort: readonly AccountSort[]): SortStep[] {
  return sort.map((name) => ({ key: name.replace('-', '') as AccountSortKey, descending: name.startsWith('-') }));
}

/** Opaque to clients. It names its order, because a position means nothing in another one. */
export function encodeAccountCursor(sort: readonly AccountSort[], { keys, id }: AccountPosition): string {
  return Buffer.from(JSON.stringify([sort.join(), keys, id])).toString('base64url');
}

/** @throws InvalidUserCursorError */
export function decodeAccountCursor(sort: readonly AccountSort[], cursor: string): AccountPosition {
  const [order, keys, id] = parse(cursor);
  const steps = toSteps(sort);
  const valid =
    order === sort.join() &&
    Array.isArray(keys) &&
    keys.length === steps.length &&
    steps.every(({ key }, index) => typeof keys[index] === 'string' && READABLE[key](keys[index])) &&
    isUuid(id);
  if (!valid) {
    throw new InvalidUserCursorError();
  }
  return { keys: keys as string[], id };
}

function isText(key: string): boolean {
  return !key.includes('\0') && key.isWellFormed();
}

function parse(cursor: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(parts) ? (parts as unknown[]) : [];
  } catch {
    throw new InvalidUserCursorError();
  }
}
