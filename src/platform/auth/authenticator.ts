import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AppConfig } from '../../config/app-config.js';
import { KeyStore } from '../keys/key-store.js';
import { AccessTokenVerifier, type Claims, CLOCK_TOLERANCE_SECONDS } from './access-token-verifier.js';
import { DomainError } from '../../shared/domain-error.js';
import { sessionEnded, TokenExpiredError, TokenInvalidError } from './auth.errors.js';
import { PLATFORM_ROLES, type PlatformRole, type Principal } from './principal.js';
import { SessionVerifier } from './session-verifier.js';

const CACHE_SIZE = 10_000;
const MAX_TOKEN_LENGTH = 4_096;

interface Verified {
  readonly principal: Principal;
  readonly expiresAtMs: number;
  /** Which key signed it. */
  readonly kid: string;
}

/**
 * Turns a bearer token into the person behind it: first the token, then the session. REST and sockets both come through
 * here, so neither can be more lenient than the other.
 */
@Injectable()
export class Authenticator {
  readonly #verifier: AccessTokenVerifier;
  /** With the keys that this process remembers. */
  readonly #offline: AccessTokenVerifier;
  /** By hash of the whole token. Expiry, key and session are checked on every use; only the signature is remembered. */
  readonly #verified = new LRUCache<string, Verified>({ max: CACHE_SIZE });

  constructor(
    config: AppConfig,
    keys: KeyStore,
    private readonly sessions: SessionVerifier,
  ) {
    this.#verifier = new AccessTokenVerifier(config.http.publicUrl, keys);
    this.#offline = new AccessTokenVerifier(config.http.publicUrl, {
      verificationKey: (purpose, kid) => {
        const key = keys.rememberedKey(purpose, kid);
        return key === undefined ? Promise.reject(new Error('No key was loaded yet.')) : Promise.resolve(key);
      },
    });
  }

  /**
   * @param certain the session is looked up in PostgreSQL, for what cannot be undone.
   * @throws TokenExpiredError, TokenInvalidError for a token that does not stand
   * @throws SessionEndedError for one that would, were its session not over
   */
  async authenticate(token: string, options: { certain?: boolean } = {}): Promise<Principal> {
    return (await this.admit(token, options)).principal;
  }

  /** The same, with the time at which the token expires, in milliseconds since 1970: for what goes on for longer. */
  async admit(
    token: string,
    { certain = false }: { certain?: boolean } = {},
  ): Promise<{ readonly principal: Principal; readonly expiresAtMs: number }> {
    const { principal, expiresAtMs, kid } = await this.verify(token);
    if (isExpired(expiresAtMs)) {
      throw new TokenExpiredError();
    }
    if (!(await this.#verifier.isCurrent(kid))) {
      throw new TokenInvalidError();
    }
    const end = await this.sessions.endOf(principal.sessionId, { certain });
    if (end !== null) {
      throw sessionEnded(end);
    }
    return { principal, expiresAtMs };
  }

  /**
   * Whether memory alone can tell that this token is none of ours, or has expired: it asks for no key and for no session, so
   * it may be called where there is too much to do. False also where it cannot tell.
   */
  async isRefutable(token: string): Promise<boolean> {
    try {
      const { expiresAtMs } = await this.verify(token, this.#offline);
      return isExpired(expiresAtMs);
    } catch (error) {
      return error instanceof DomainError && error.kind === 'unauthenticated';
    }
  }

  private async verify(token: string, verifier = this.#verifier): Promise<Verified> {
    if (token === '' || token.length > MAX_TOKEN_LENGTH) {
      throw new TokenInvalidError();
    }
    const key = createHash('sha256').update(token).digest('base64');
    const known = this.#verified.get(key);
    if (known) {
      return known;
    }
    const { claims, kid } = await verifier.verify(token);
    const verified = toVerified(claims, kid);
    this.#verified.set(key, verified);
    return verified;
  }
}

function isExpired(atMs: number): boolean {
  return Date.now() > atMs + CLOCK_TOLERANCE_SECONDS * 1_000;
}

function toVerified({ sub, sid, role, exp }: Claims, kid: string): Verified {
  if (typeof sub !== 'string' || typeof sid !== 'string' || typeof exp !== 'number' || !isRole(role)) {
    throw new TokenInvalidError();
  }
  return { principal: { userId: sub, sessionId: sid, role }, expiresAtMs: exp * 1_000, kid };
}

function isRole(value: unknown): value is PlatformRole {
  return PLATFORM_ROLES.some((role) => role === value);
}
