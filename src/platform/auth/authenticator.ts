import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { decodeProtectedHeader } from 'jose';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { AppConfig } from '../../config/app-config.js';
import { KeyStore } from '../crypto/key-store.js';
import { ACCESS_TOKEN_ALGORITHMS, ACCESS_TOKEN_AUDIENCE, ACCESS_TOKEN_TYPE } from './access-tokens.js';
import { UnauthenticatedError } from './auth.errors.js';
import { PLATFORM_ROLES, type PlatformRole, type Principal } from './principal.js';
import { SessionGate } from './session-gate.js';

const CACHE_SIZE = 10_000;
const MAX_TOKEN_LENGTH = 4_096;
/** Tolerated difference between the clocks of two of our processes. */
const CLOCK_TOLERANCE_SECONDS = 5;

interface Verified {
  readonly principal: Principal;
  readonly expiresAtMs: number;
}

/**
 * Turns a bearer token into the person behind it: signature, issuer, audience, expiry by passport-jwt, then the
 * session. REST and sockets both come through here, so neither can be more lenient than the other.
 */
@Injectable()
export class Authenticator {
  readonly #strategy: Strategy;
  /** By hash of the whole token. Expiry and session are checked on every use; only the signature is remembered. */
  readonly #verified = new Map<string, Verified>();

  constructor(
    config: AppConfig,
    private readonly keys: KeyStore,
    private readonly sessions: SessionGate,
  ) {
    this.#strategy = new Strategy(
      {
        jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
        algorithms: [...ACCESS_TOKEN_ALGORITHMS],
        issuer: config.http.publicUrl,
        audience: ACCESS_TOKEN_AUDIENCE,
        // The types call this deprecated; it is the only way to say how far two clocks may differ.
        // eslint-disable-next-line @typescript-eslint/no-deprecated
        jsonWebTokenOptions: { clockTolerance: CLOCK_TOLERANCE_SECONDS },
        secretOrKeyProvider: (_request, token: string, done) => {
          this.findKey(token).then(
            (key) => {
              done(null, key as never);
            },
            (error: unknown) => {
              done(error);
            },
          );
        },
      },
      (payload: unknown, done: (error: unknown, verified?: Verified | false) => void) => {
        done(null, toVerified(payload) ?? false);
      },
    );
  }

  /** @throws UnauthenticatedError for any token that does not stand, without saying why. */
  async authenticate(token: string): Promise<Principal> {
    const { principal, expiresAtMs } = await this.verify(token);
    const expired = Date.now() > expiresAtMs + CLOCK_TOLERANCE_SECONDS * 1_000;
    if (expired || !(await this.sessions.isLive(principal.sessionId))) {
      throw new UnauthenticatedError();
    }
    return principal;
  }

  private async verify(token: string): Promise<Verified> {
    if (token === '' || token.length > MAX_TOKEN_LENGTH) {
      throw new UnauthenticatedError();
    }
    const key = createHash('sha256').update(token).digest('base64');
    const known = this.#verified.get(key);
    if (known) {
      return known;
    }
    const verified = await this.runStrategy(token);
    if (this.#verified.size >= CACHE_SIZE) {
      this.#verified.clear();
    }
    this.#verified.set(key, verified);
    return verified;
  }

  /** A passport strategy answers by calling one of the actions it was given. */
  private runStrategy(token: string): Promise<Verified> {
    return new Promise((resolve, reject) => {
      const run = Object.assign(Object.create(this.#strategy) as Strategy, {
        success: resolve,
        error: reject,
        // passport-jwt also fails when the key could not be looked up: that says nothing of the token.
        fail: (cause?: unknown) => {
          reject(isOutage(cause) ? cause : new UnauthenticatedError({ cause }));
        },
      });
      run.authenticate({ headers: { authorization: `Bearer ${token}` } } as never);
    });
  }

  private async findKey(token: string): Promise<unknown> {
    const { kid, typ } = headerOf(token);
    const key =
      kid !== undefined && typ === ACCESS_TOKEN_TYPE ? await this.keys.verificationKey('access_token', kid) : null;
    if (!key) {
      throw new UnauthenticatedError();
    }
    return key;
  }
}

function headerOf(token: string): { kid?: string; typ?: string } {
  try {
    return decodeProtectedHeader(token);
  } catch (cause) {
    throw new UnauthenticatedError({ cause });
  }
}

/** Anything but a verdict on the token: ours, or one of jsonwebtoken's three errors. */
function isOutage(cause: unknown): cause is Error {
  const verdicts = ['UnauthenticatedError', 'JsonWebTokenError', 'TokenExpiredError', 'NotBeforeError'];
  return cause instanceof Error && !verdicts.includes(cause.name);
}

function toVerified(payload: unknown): Verified | null {
  const { sub, sid, role, exp } = payload as Record<string, unknown>;
  if (typeof sub !== 'string' || typeof sid !== 'string' || typeof exp !== 'number' || !isRole(role)) {
    return null;
  }
  return { principal: { userId: sub, sessionId: sid, role }, expiresAtMs: exp * 1_000 };
}

function isRole(value: unknown): value is PlatformRole {
  return PLATFORM_ROLES.some((role) => role === value);
}
