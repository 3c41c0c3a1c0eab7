import { createHmac, timingSafeEqual } from 'node:crypto';

const ID_BYTES = 16;
const COUNTER_BYTES = 4;
const MAC_BYTES = 32;
const TOKEN_LENGTH = Math.ceil(((ID_BYTES + COUNTER_BYTES + MAC_BYTES) * 4) / 3);

/** Which session a refresh token belongs to, and which of its generations it is. */
export interface RefreshTokenFacts {
  readonly sessionId: string;
  readonly counter: number;
}

/**
 * The refresh token of one generation: base64url of session id, counter and their HMAC-SHA256. Derived, not random, so
 * that two requests that rotate the same token at the same time can be given the same successor without keeping it.
 */
export function refreshTokenOf(key: Buffer, { sessionId, counter }: RefreshTokenFacts): string {
  const facts = Buffer.alloc(ID_BYTES + COUNTER_BYTES);
  facts.write(sessionId.replaceAll('-', ''), 'hex');
  facts.writeUInt32BE(counter, ID_BYTES);
  return Buffer.concat([facts, mac(key, facts)]).toString('base64url');
}

/** Reads a refresh token; null when it was not issued here. Only a token of ours may end a session by its reuse. */
export function readRefreshToken(key: Buffer, token: string): RefreshTokenFacts | null {
  const bytes = token.length === TOKEN_LENGTH ? Buffer.from(token, 'base64url') : Buffer.alloc(0);
  const facts = bytes.subarray(0, ID_BYTES + COUNTER_BYTES);
  const claimed = bytes.subarray(ID_BYTES + COUNTER_BYTES);
  if (claimed.length !== MAC_BYTES || !timingSafeEqual(claimed, mac(key, facts))) {
    return null;
  }
  const id = facts.toString('hex', 0, ID_BYTES);
  return {
    sessionId: id.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5'),
    counter: facts.readUInt32BE(ID_BYTES),
  };
}

function mac(key: Buffer, facts: Buffer): Buffer {
  return createHmac('sha256', key).update(facts).digest();
}
