import { DomainError, type FieldError, AsProblem } from './domain-error.js';
import { isUuid } from './ids.js';
import { isInstant } from './instant.js';

/** Whether a text is one that PostgreSQL can read as the type of a column. */
export type CursorPart = (text: string) => boolean;

type Decoded<Parts extends readonly CursorPart[]> = { readonly [Index in keyof Parts]: string };

/** For lists in the order in which their rows were made: the time, and the id that breaks ties. */
export const CREATION_PARTS = [isInstant, isUuid] as const;
export type CreationPosition = Decoded<typeof CREATION_PARTS>;

const MAX_BIGINT = 2n ** 63n - 1n;

@AsProblem({
  code: 'invalid_cursor',
  kind: 'invalid',
  meaning: 'The cursor does not belong to this list.',
  cause: 'It was cut or changed, or comes from another list or another order.',
  cure: 'Take `nextCursor` as it was served, with the same filters and the same order; or begin without a cursor.',
})
export class InvalidCursorError extends DomainError {
  override readonly errors: readonly FieldError[];

  /**
   * @param member of the request, which had the cursor
   * @param source the member of an answer that has such a cursor
   */
  constructor(member = 'cursor', source = 'nextCursor') {
    super('The cursor is not one that this service gave out for this list in this order.');
    this.errors = [
      { detail: `\`${member}\` is not one of this list; take \`${source}\` as it was answered`, pointer: `/${member}` },
    ];
  }
}

/** The position of the last row of a page, opaque to clients. `list` names the list and its order. */
export function encodeCursor(list: string, parts: readonly string[]): string {
  return Buffer.from(JSON.stringify([list, ...parts])).toString('base64url');
}

/**
 * The parts of a cursor, in the order in which they were encoded; null when the client sent none. Clients can forge
 * cursors, so each part is checked before it reaches a query.
 * @throws InvalidCursorError also for a cursor of another list, or of another order
 */
export function decodeCursor<const Parts extends readonly CursorPart[]>(
  list: string,
  cursor: string | undefined,
  parts: Parts,
): Decoded<Parts> | null {
  if (cursor === undefined) {
    return null;
  }
  const [name, ...values] = parse(cursor);
  const valid =
    name === list &&
    values.length === parts.length &&
    parts.every((isValid, index) => {
      const value = values[index];
      return typeof value === 'string' && isValid(value);
    });
  if (!valid) {
    throw new InvalidCursorError();
  }
  return values as unknown as Decoded<Parts>;
}

/** Text that PostgreSQL can store: no U+0000, no half of a surrogate pair. */
export function isStorableText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** A decimal number from 0 to 2^63 - 1. */
export function isBigint(text: string): boolean {
  return /^\d{1,19}$/.test(text) && BigInt(text) <= MAX_BIGINT;
}

function parse(cursor: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(parts) ? (parts as unknown[]) : [];
  } catch {
    return [];
  }
}
