import { isUuid } from '../../../shared/ids.js';
import { isInstant } from '../../../shared/instant.js';

/** A place in the list of a device's commands. */
export interface CommandPosition {
  /** RFC 3339 in UTC, to the millisecond. */
  createdAt: string;
  id: string;
}

/** Opaque to clients. */
export function encodePosition({ createdAt, id }: CommandPosition): string {
  return Buffer.from(`${createdAt} ${id}`).toString('base64url');
}

/** Null for what {@link encodePosition} never made. */
export function decodePosition(cursor: string): CommandPosition | null {
  const [createdAt = '', id, ...rest] = Buffer.from(cursor, 'base64url').toString('latin1').split(' ');
  return isInstant(createdAt) && isUuid(id) && rest.length === 0 ? { createdAt, id } : null;
}
