import { isUuid } from '../../shared/ids.js';
import { isInstant } from '../../shared/instant.js';
import type { DeviceCursor } from './device-list-sql.js';
import { InvalidDeviceCursorError } from './devices.errors.js';
import type { DeviceSort } from './devices.types.js';

/** Opaque to clients. It contains its order, because it has no meaning in another one. */
export function encodeDeviceCursor(sort: DeviceSort, { key, id }: DeviceCursor): string {
  return Buffer.from(JSON.stringify([sort, key, id])).toString('base64url');
}

/** @throws InvalidDeviceCursorError */
export function decodeDeviceCursor(sort: DeviceSort, cursor: string): DeviceCursor {
  const [cursorSort, key, id] = parse(cursor);
  const valid = cursorSort === sort && typeof key === 'string' && !key.includes('\0') && isUuid(id);
  if (!valid || (sort.endsWith('createdAt') && !isInstant(key))) {
    throw new InvalidDeviceCursorError();
  }
  return { key, id };
}

function parse(cursor: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(parts) ? (parts as unknown[]) : [];
  } catch {
    throw new InvalidDeviceCursorError();
  }
}
