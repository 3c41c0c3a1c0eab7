import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

export function sha256(data: string | NodeJS.ArrayBufferView): Buffer {
  return createHash('sha256').update(data).digest();
}

/** A random secret of 32 bytes in base64url: 43 characters. */
export function randomToken(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}

/** Compares without telling by its duration where two values differ. Only their lengths may be guessed. */
export function equalInConstantTime(a: NodeJS.ArrayBufferView, b: NodeJS.ArrayBufferView): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
