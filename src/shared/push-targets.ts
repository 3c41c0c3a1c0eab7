import { ECDH } from 'node:crypto';

const E164 = /^\+[1-9]\d{6,14}$/;
const P256_POINT_BYTES = 65;
const AUTH_SECRET_BYTES = 16;
/** Google names no form: a token that was given to an app has never had other characters, nor been nearly as short or as long. */
const FCM_TOKEN = /^[\w:.-]{32,1024}$/;
/** Apple names no length, and says that it varies. */
const APNS_TOKEN = /^(?:[\da-f]{2}){32,100}$/;

/** A number in E.164, of one that a person has written with blanks and the like; null for what is none. */
export function canonicalPhoneNumber(text: string): string | null {
  const plain = text.replaceAll(/[\s./()-]/g, '');
  // The zero of numbers within a country is no part of it: "+49 (0)170" would reach another person.
  return /\(0+\)/.test(text) || !E164.test(plain) ? null : plain;
}

/** A point of P-256 in base64url: the public key of a browser's subscription (RFC 8291), without padding. Null for what is none. */
export function canonicalPushKey(text: string): string | null {
  const key = canonicalBase64(text, P256_POINT_BYTES);
  return key !== null && isPointOfP256(key) ? key : null;
}

/** The authentication secret of a subscription in base64url. */
export function canonicalPushSecret(text: string): string | null {
  return canonicalBase64(text, AUTH_SECRET_BYTES);
}

export function isFcmToken(text: string): boolean {
  return FCM_TOKEN.test(text);
}

/** In small letters; null for what is none. */
export function canonicalApnsToken(text: string): string | null {
  const lower = text.toLowerCase();
  return APNS_TOKEN.test(lower) ? lower : null;
}

/** Browsers and libraries write either alphabet, with and without padding. */
function canonicalBase64(text: string, bytes: number): string | null {
  if (!/^[\w+/-]{1,100}={0,2}$/.test(text)) {
    return null;
  }
  const decoded = Buffer.from(text, 'base64');
  return decoded.length === bytes ? decoded.toString('base64url') : null;
}

function isPointOfP256(key: string): boolean {
  try {
    // The first byte is 4: neither a compressed point nor a hybrid one.
    return /^B[A-P]/.test(key) && ECDH.convertKey(key, 'prime256v1', 'base64url').length === P256_POINT_BYTES;
  } catch {
    return false;
  }
}
