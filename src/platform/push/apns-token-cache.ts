import type { KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Clock } from '../../shared/clock.js';

/** Apple takes a token for an hour, and a new one no sooner than after twenty minutes. */
const RENEWED_AFTER_MS = 40 * 60_000;
const KEPT_FOR_MS = 20 * 60_000;

interface ApnsSigner {
  readonly keyId: string;
  readonly teamId: string;
  readonly privateKey: () => KeyObject;
}

/** The token with which requests to APNs are signed: one for all of them, made anew in time. */
export class ApnsTokenCache {
  #kept: { readonly token: Promise<string>; readonly atMs: number } | null = null;

  constructor(
    private readonly signer: ApnsSigner,
    private readonly clock: Clock,
  ) {}

  token(): Promise<string> {
    const nowMs = this.clock.now();
    // One from the future was made before the clock was set back.
    if (this.#kept === null || nowMs - this.#kept.atMs >= RENEWED_AFTER_MS || nowMs < this.#kept.atMs) {
      this.#kept = { token: this.made(nowMs), atMs: nowMs };
    }
    return this.#kept.token;
  }

  /** Apple says that it has expired. Whether another one may be made by now. */
  expire(): boolean {
    const mayRenew = this.#kept === null || this.clock.now() - this.#kept.atMs >= KEPT_FOR_MS;
    if (mayRenew) {
      this.#kept = null;
    }
    return mayRenew;
  }

  private made(nowMs: number): Promise<string> {
    const { keyId, teamId, privateKey } = this.signer;
    return new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: keyId })
      .setIssuer(teamId)
      .setIssuedAt(Math.floor(nowMs / 1_000))
      .sign(privateKey());
  }
}
