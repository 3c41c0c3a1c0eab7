import type { KeyObject } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { ExtractJwt, Strategy } from 'passport-jwt';
import type { KeyStore } from '../keys/key-store.js';
import { ACCESS_TOKEN_AUDIENCE, ACCESS_TOKEN_TYPE } from './access-token-factory.js';
import { TokenExpiredError, TokenInvalidError } from './auth.errors.js';

/** Tolerated difference between the clocks of two of our processes. */
export const CLOCK_TOLERANCE_SECONDS = 5;

/** What a signed token says; nothing of it has been looked at yet. */
export type Claims = Readonly<Record<string, unknown>>;

/**
 * Checks signature, type, issuer, audience and expiry. The key that its `kid` names decides how a token is verified, the
 * token's own `alg` never does: RSA keys verify RS256 by passport-jwt, Ed25519 keys verify EdDSA, which passport-jwt
 * does not know, by jose; each with a list of that one algorithm.
 */
export class AccessTokenVerifier {
  readonly #strategy: Strategy;

  constructor(
    private readonly issuer: string,
    private readonly keys: Pick<KeyStore, 'verificationKey'>,
  ) {
    this.#strategy = new Strategy(
      {
        jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
        algorithms: ['RS256'],
        issuer,
        audience: ACCESS_TOKEN_AUDIENCE,
        // The types call this deprecated; it is the only way to say how far two clocks may differ.
        // eslint-disable-next-line @typescript-eslint/no-deprecated
        jsonWebTokenOptions: { clockTolerance: CLOCK_TOLERANCE_SECONDS },
        secretOrKeyProvider: ({ key }: { key: KeyObject }, _token, done) => {
          done(null, key as never);
        },
      },
      (payload: unknown, done: (error: unknown, claims: unknown) => void) => {
        done(null, payload);
      },
    );
  }

  /** Whether the key that signed this token still counts: it may have been retired since the token was looked at. */
  async isCurrent(kid: string): Promise<boolean> {
    return (await this.keys.verificationKey('access_token', kid)) !== null;
  }

  /**
   * @throws TokenExpiredError, TokenInvalidError for a token that does not stand; whatever else is thrown says nothing of the
   *   token.
   */
  async verify(token: string): Promise<{ readonly claims: Claims; readonly kid: string }> {
    const { key, kid } = await this.findKey(token);
    try {
      const isEdDsa = key.asymmetricKeyType === 'ed25519';
      return { claims: await (isEdDsa ? this.verifyEdDsa(token, key) : this.verifyRs256(token, key)), kid };
    } catch (cause) {
      throw refusalFor(cause) ?? cause;
    }
  }

  /** A passport strategy answers by calling one of the actions it was given. */
  private verifyRs256(token: string, key: KeyObject): Promise<Claims> {
    return new Promise((resolve, reject) => {
      const run = Object.assign(Object.create(this.#strategy) as Strategy, {
        success: resolve,
        error: reject,
        fail: reject,
      });
      run.authenticate({ headers: { authorization: `Bearer ${token}` }, key } as never);
    });
  }

  private async verifyEdDsa(token: string, key: KeyObject): Promise<Claims> {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['EdDSA'],
      issuer: this.issuer,
      audience: ACCESS_TOKEN_AUDIENCE,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    });
    return payload;
  }

  private async findKey(token: string): Promise<{ readonly key: KeyObject; readonly kid: string }> {
    const { kid, typ } = headerOf(token);
    const key =
      kid !== undefined && typ === ACCESS_TOKEN_TYPE ? await this.keys.verificationKey('access_token', kid) : null;
    if (!key || kid === undefined) {
      // A key is forgotten when the last token that it signed has expired: who comes back later need not sign in again.
      throw saysExpired(token) ? new TokenExpiredError() : new TokenInvalidError();
    }
    return { key, kid };
  }
}

function headerOf(token: string): { kid?: string; typ?: string } {
  try {
    return decodeProtectedHeader(token);
  } catch (cause) {
    throw new TokenInvalidError({ cause });
  }
}

/** By the errors with which jose and jsonwebtoken say that a token is bad; null for a failure of ours. */
function refusalFor(cause: unknown): TokenExpiredError | TokenInvalidError | null {
  const name = cause instanceof Error ? cause.name : '';
  if (cause instanceof errors.JWTExpired || name === 'TokenExpiredError') {
    return new TokenExpiredError({ cause });
  }
  const isInvalid = cause instanceof errors.JOSEError || name === 'JsonWebTokenError' || name === 'NotBeforeError';
  return isInvalid ? new TokenInvalidError({ cause }) : null;
}

/** By what the token says of itself: nothing is given for it but the advice to refresh. */
function saysExpired(token: string): boolean {
  try {
    const { exp } = decodeJwt(token);
    return typeof exp === 'number' && exp * 1_000 < Date.now();
  } catch {
    return false;
  }
}
