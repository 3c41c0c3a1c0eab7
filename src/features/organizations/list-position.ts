import { isUuid } from '../../shared/ids.js';
import { isInstant } from '../../shared/instant.js';
import { InvalidOrganizationCursorError } from './organizations.errors.js';

/** Where a page ended: lists are in the order in which their rows came to be. */
export interface ListPosition {
  readonly createdAt: Date;
  readonly id: string;
}

/** Opaque to clients. */
export function encodePosition({ createdAt, id }: ListPosition): string {
  return Buffer.from(`${createdAt.toISOString()} ${id}`).toString('base64url');
}

/** @throws InvalidOrganizationCursorError */
export function decodePosition(cursor: string | undefined): ListPosition | null {
  if (cursor === undefined) {
    return null;
  }
  const [createdAt = '', id, ...rest] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ');
  if (!isInstant(createdAt) || !isUuid(id) || rest.length > 0) {
    throw new InvalidOrganizationCursorError();
  }
  return { createdAt: new Date(createdAt), id };
}
