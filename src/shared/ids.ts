import { v7, validate } from 'uuid';

/** RFC 9562, any version. */
export function isUuid(value: unknown): value is string {
  return validate(value);
}

/** A UUID in lower case, as every id here is written and compared (RFC 9562); other text as it is. */
export function canonicalId(text: string): string {
  return isUuid(text) ? text.toLowerCase() : text;
}

/**
 * A new id, for a row whose id must be known before it is written: UUID version 7 (RFC 9562), so that rows made one
 * after the other lie side by side in an index. Without a time, each id sorts after the one this process made before.
 */
export function newId(nowMs?: number): string {
  return nowMs === undefined ? v7() : v7({ msecs: nowMs });
}
