import { type CursorPart, decodeCursor, encodeCursor, isStorableText } from '../../shared/cursor.js';
import { isUuid } from '../../shared/ids.js';
import { isInstant } from '../../shared/instant.js';
import { PLATFORM_ROLES } from '../../platform/auth/principal.js';
import type { AccountSort, AccountSortKey } from './user-directory.types.js';
import type { AccountPosition, SortStep } from './user-list-sql.js';

const PARTS: Record<AccountSortKey, CursorPart> = {
  createdAt: isInstant,
  lastLoginAt: isInstant,
  email: isStorableText,
  displayName: isStorableText,
  role: (key) => PLATFORM_ROLES.some((role) => role === key),
};

export function toSteps(sort: readonly AccountSort[]): SortStep[] {
  return sort.map((name) => ({ key: name.replace('-', '') as AccountSortKey, descending: name.startsWith('-') }));
}

/** Opaque to clients. It names its order, because a position means nothing in another one. */
export function encodeAccountCursor(sort: readonly AccountSort[], { keys, id }: AccountPosition): string {
  return encodeCursor(listName(sort), [id, ...keys]);
}

/** @throws InvalidCursorError */
export function decodeAccountCursor(sort: readonly AccountSort[], cursor: string | undefined): AccountPosition | null {
  const keyParts = toSteps(sort).map(({ key }) => PARTS[key]);
  const position = decodeCursor(listName(sort), cursor, [isUuid, ...keyParts]);
  if (!position) {
    return null;
  }
  const [id, ...keys] = position;
  return { keys, id };
}

function listName(sort: readonly AccountSort[]): string {
  return `users:${sort.join()}`;
}
