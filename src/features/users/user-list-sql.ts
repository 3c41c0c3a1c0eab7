import { canonicalDomain, canonicalIdentifier, canonicalLocalPart } from '../../shared/identifiers.js';
import { ACCOUNT_COLUMNS, STATUS_CONDITIONS } from './account-rows.js';
import type { AccountFilter, AccountSortKey } from './user-directory.types.js';

/** Written exactly as in the index `users_search_idx`, or PostgreSQL does not use it. */
export const SEARCH_TEXT = `(u.email || ' ' || coalesce(u.username, '') || ' ' || u.display_name)`;

const iso = (expression: string): string =>
  `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** What a list can be ordered by. People who never logged in come before those who did. */
const KEYS: Record<AccountSortKey, { column: string; text: string; cast: string }> = {
  createdAt: { column: 'u.created_at', text: iso('u.created_at'), cast: 'timestamptz' },
  lastLoginAt: {
    column: `coalesce(u.last_login_at, 'epoch')`,
    text: iso(`coalesce(u.last_login_at, 'epoch')`),
    cast: 'timestamptz',
  },
  email: { column: 'u.email', text: 'u.email', cast: 'text' },
  displayName: { column: 'u.display_name', text: 'u.display_name', cast: 'text' },
  role: { column: 'u.role', text: 'u.role::text', cast: 'platform_role' },
};

export interface SortStep {
  readonly key: AccountSortKey;
  readonly descending: boolean;
}

/** Where the last page ended: the values it was ordered by, and the id that breaks ties. */
export interface AccountPosition {
  readonly keys: readonly string[];
  readonly id: string;
}

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * Keyset paging over any order. The filters that are given become conditions of their own, instead of "or the filter
 * is null", so that PostgreSQL can choose an index for them.
 */
export function accountList(
  filter: AccountFilter,
  order: readonly SortStep[],
  after: AccountPosition | null,
  limit: number,
): Statement {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${String(values.push(value))}`;
  const steps = [...order.map(({ key, descending }) => ({ ...KEYS[key], descending })), idStep(order)];
  const where = [...conditions(filter, bind), ...(after ? [beyond(steps, [...after.keys, after.id], bind)] : [])];
  return {
    text: `SELECT ${ACCOUNT_COLUMNS}, ARRAY[${order.map(({ key }) => KEYS[key].text).join(', ')}]::text[] AS keys
      FROM users u ${where.length > 0 ? `WHERE ${where.join(' AND ')}` : ''}
      ORDER BY ${steps.map(({ column, descending }) => `${column} ${descending ? 'DESC' : 'ASC'}`).join(', ')}
      LIMIT ${bind(limit)}`,
    values,
  };
}

/** Conditions for every word of `q`, wherever it stands; what may be (part of) an e-mail address, in its one spelling, too. */
export function containingAll(q: string, bind: (value: unknown) => string): string[] {
  const words = new Set(q.split(/\s+/).filter((word) => word !== ''));
  return [...words].map((word) => {
    const found = spellingsOf(word).map((spelling) => `${SEARCH_TEXT} ILIKE ${bind(containing(spelling))}`);
    return found.length > 1 ? `(${found.join(' OR ')})` : found.join('');
  });
}

function spellingsOf(word: string): string[] {
  const lower = word.toLowerCase();
  const names = lower.includes('@')
    ? [canonicalIdentifier(lower)]
    : [canonicalDomain(lower), canonicalLocalPart(lower)];
  return [word, ...names.filter((name) => name !== lower)];
}

function containing(part: string): string {
  return `%${part.replaceAll(/[\\%_]/g, '\\$&')}%`;
}

type KeyStep = (typeof KEYS)[AccountSortKey] & { readonly descending: boolean };

/** Ties are broken in the direction of the first key, so that one index serves both. */
function idStep(order: readonly SortStep[]): KeyStep {
  return { column: 'u.id', text: 'u.id', cast: 'uuid', descending: order[0]?.descending ?? false };
}

function conditions(filter: AccountFilter, bind: (value: unknown) => string): string[] {
  const { role, status, createdFrom, createdTo, lastLoginFrom, lastLoginTo, q } = filter;
  return [
    role && `u.role = ${bind(role)}::platform_role`,
    status && `(${STATUS_CONDITIONS[status]})`,
    createdFrom && `u.created_at >= ${bind(createdFrom)}::timestamptz`,
    createdTo && `u.created_at < ${bind(createdTo)}::timestamptz`,
    lastLoginFrom && `u.last_login_at >= ${bind(lastLoginFrom)}::timestamptz`,
    lastLoginTo && `u.last_login_at < ${bind(lastLoginTo)}::timestamptz`,
    ...(q === undefined ? [] : containingAll(q, bind)),
  ].filter((condition): condition is string => Boolean(condition));
}

/** `(a, b, id)` lies beyond the position, each key in its own direction: later in a; or equal in a and later in b; … */
function beyond(steps: readonly KeyStep[], keys: readonly string[], bind: (value: unknown) => string): string {
  const bound = steps.map(({ cast }, index) => `${bind(keys[index])}::${cast}`);
  const alternatives = steps.map(({ column, descending }, index) => {
    const equal = steps.slice(0, index).map((step, before) => `${step.column} = ${String(bound[before])}`);
    return [...equal, `${column} ${descending ? '<' : '>'} ${String(bound[index])}`].join(' AND ');
  });
  const [begin] = steps.map(
    ({ column, descending }, index) => `${column} ${descending ? '<=' : '>='} ${String(bound[index])}`,
  );
  // It follows from the rest, but only by itself does it let PostgreSQL enter the index there, not at the front.
  return `${String(begin)} AND (${alternatives.map((alternative) => `(${alternative})`).join(' OR ')})`;
}
