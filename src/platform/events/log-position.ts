import { InvalidCursorError } from '../../shared/cursor.js';
import { CursorExpiredError } from './event-log.errors.js';

/**
 * A place in the log. Ids are drawn before a transaction commits, so they alone would skip what commits late; the pair
 * of transaction and id, read only up to the oldest transaction still open, never does.
 */
export interface LogPosition {
  readonly xid: bigint;
  readonly id: bigint;
}

/** Before everything. */
export const LOG_START: LogPosition = { xid: 0n, id: 0n };

/** Both parts are unsigned 64 bit: more digits cannot be a position. */
const POSITION = /^(\d{1,20})\.(\d{1,20})$/;

export function isAfter(left: LogPosition, right: LogPosition): boolean {
  return left.xid === right.xid ? left.id > right.id : left.xid > right.xid;
}

export function formatPosition({ xid, id }: LogPosition): string {
  return `${String(xid)}.${String(id)}`;
}

export function parsePosition(text: string): LogPosition | null {
  const [, xid, id] = POSITION.exec(text) ?? [];
  return xid === undefined || id === undefined ? null : toPosition(xid, id);
}

/** PostgreSQL answers both as text, because neither fits a number. */
export function toPosition(xid: string, id: string): LogPosition {
  return { xid: BigInt(xid), id: BigInt(id) };
}

/**
 * What clients hold: opaque, and of one log only, because a restored log has another generation. The format does not
 * change: dashboards keep their cursor across upgrades.
 */
export function encodeLogCursor(generation: string, position: LogPosition): string {
  return Buffer.from(`${generation}.${formatPosition(position)}`).toString('base64url');
}

/** Of those who poll: they send the `cursor` of one answer as `after` of the next request. */
export const invalidAfter = (): InvalidCursorError => new InvalidCursorError('after', 'cursor');

/**
 * @param invalid what it is refused as
 * @throws InvalidCursorError when it never was a cursor of ours
 * @throws CursorExpiredError when it belongs to a log that a restore has replaced
 */
export function decodeLogCursor(
  generation: string,
  cursor: string,
  invalid = (): InvalidCursorError => new InvalidCursorError(),
): LogPosition {
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  const dot = text.indexOf('.');
  const position = parsePosition(text.slice(dot + 1));
  if (dot < 0 || !position || !withinRange(position)) {
    throw invalid();
  }
  if (text.slice(0, dot) !== generation) {
    throw new CursorExpiredError();
  }
  return position;
}

/** Whether `left` stands behind `right`. Only for cursors of one log that came from us. */
export function isCursorAfter(left: string, right: string): boolean {
  const [a, b] = [left, right].map((cursor) => {
    const text = Buffer.from(cursor, 'base64url').toString('latin1');
    return parsePosition(text.slice(text.indexOf('.') + 1)) ?? LOG_START;
  });
  return a !== undefined && b !== undefined && isAfter(a, b);
}

const MAX_XID = 2n ** 64n - 1n;
const MAX_ID = 2n ** 63n - 1n;

function withinRange({ xid, id }: LogPosition): boolean {
  return xid <= MAX_XID && id <= MAX_ID;
}
