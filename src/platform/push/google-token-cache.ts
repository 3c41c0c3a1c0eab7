import { SignJWT } from 'jose';
import type { FcmServiceAccount } from '../../config/push.js';
import type { Clock } from '../../shared/clock.js';
import { postToProvider, ProviderRequestError } from '../providers/provider-request.js';

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
/** The longest that Google takes. */
const ASSERTION_LIFE_S = 3_600;
/** A token is not used in the last minute of its life. */
const MARGIN_MS = 60_000;

/** Google gave no access token; the message is its word for why. */
export class GoogleTokenError extends Error {
  constructor(readonly word: string) {
    super(`No access token: ${word}.`);
    this.name = new.target.name;
  }
}

/** The access token of a service account (RFC 7523), asked for once and kept until shortly before it expires. */
export class GoogleTokenCache {
  #kept: { readonly token: string; readonly untilMs: number } | null = null;
  #asking: Promise<string> | null = null;

  constructor(
    private readonly account: FcmServiceAccount,
    private readonly clock: Clock,
  ) {}

  /** @throws GoogleTokenError */
  token(): Promise<string> {
    if (this.#kept !== null && this.clock.now() < this.#kept.untilMs) {
      return Promise.resolve(this.#kept.token);
    }
    this.#asking ??= this.ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  /** The next one is asked for anew, unless that was done already. */
  forget(token: string): void {
    if (this.#kept?.token === token) {
      this.#kept = null;
    }
  }

  private async ask(): Promise<string> {
    const { status, body } = await this.answer();
    const { access_token: token, expires_in: lifeS, error } = body;
    if (status !== 200 || typeof token !== 'string' || typeof lifeS !== 'number') {
      throw new GoogleTokenError(typeof error === 'string' ? error : String(status));
    }
    this.#kept = { token, untilMs: this.clock.now() + lifeS * 1_000 - MARGIN_MS };
    return token;
  }

  private async answer(): ReturnType<typeof postToProvider> {
    const form = new URLSearchParams({ grant_type: GRANT, assertion: await this.assertion() });
    try {
      return await postToProvider(this.account.tokenUrl, {}, form);
    } catch (error) {
      throw error instanceof ProviderRequestError ? new GoogleTokenError(error.reason) : error;
    }
  }

  private assertion(): Promise<string> {
    const { clientEmail, keyId, privateKey, tokenUrl } = this.account;
    const nowS = Math.floor(this.clock.now() / 1_000);
    return new SignJWT({ scope: SCOPE })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: keyId })
      .setIssuer(clientEmail)
      .setAudience(tokenUrl)
      .setIssuedAt(nowS)
      .setExpirationTime(nowS + ASSERTION_LIFE_S)
      .sign(privateKey);
  }
}
