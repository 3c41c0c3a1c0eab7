import { Injectable } from '@nestjs/common';
import { randomToken, sha256 } from '../../../platform/crypto/digest.js';
import type { PreparedAccount } from '../../users/users.types.js';
import { InvalidOneTimeTokenError } from '../auth.errors.js';
import { OneTimeTokensRepository } from './one-time-tokens.repository.js';

/** What each token brings about, beside whose it is. */
export interface OneTimePayloads {
  password_reset: Record<string, never>;
  /** For an account that an administrator made, or whose password they reset. */
  set_password: Record<string, never>;
  /** From a login whose password may only be changed; with the hash of a one-time password that it used up. */
  password_change: { used?: string };
  /** The address that the token was mailed to. */
  email_change: { email: string };
  /** The account to be. Null where the address was taken: such a token is mailed to nobody. */
  registration: { account: PreparedAccount | null };
}
export const TOKEN_PURPOSES = [
  'password_reset',
  'set_password',
  'password_change',
  'email_change',
  'registration',
] as const satisfies readonly (keyof OneTimePayloads)[];
export type TokenPurpose = (typeof TOKEN_PURPOSES)[number];

/** A token's worth, once. */
export interface Redeemed<P extends TokenPurpose> {
  /** Null where no account exists. */
  readonly userId: string | null;
  readonly payload: OneTimePayloads[P];
}

/** A token that was looked at. */
export interface Found<P extends TokenPurpose> {
  readonly userId: string;
  readonly purpose: P;
  readonly payload: OneTimePayloads[P];
}

/** Secrets that are mailed, good once: 256 random bits, of which only the hash is kept. */
@Injectable()
export class OneTimeTokensService {
  constructor(private readonly repository: OneTimeTokensRepository) {}

  /** @returns the token, which nobody can read again. */
  async issue<P extends TokenPurpose>(
    purpose: P,
    token: { readonly userId?: string | null; readonly payload: OneTimePayloads[P]; readonly ttlMs: number },
  ): Promise<string> {
    const secret = randomToken();
    await this.repository.issue({
      purpose,
      tokenHash: sha256(secret),
      userId: token.userId ?? null,
      payload: token.payload,
      ttlMs: token.ttlMs,
    });
    return secret;
  }

  /**
   * Uses a token up. Call it inside the transaction of what it brings about, so that a failure gives it back.
   * @throws InvalidOneTimeTokenError for one that is unknown, used, expired, or for something else: all alike
   */
  async redeem<P extends TokenPurpose>(purpose: P, token: string): Promise<Redeemed<P>> {
    const redeemed = await this.repository.redeem(purpose, sha256(token));
    if (!redeemed) {
      throw new InvalidOneTimeTokenError();
    }
    return redeemed as Redeemed<P>;
  }

  /**
   * Whose token it is, and for which of `purposes`, without using it up.
   * @throws InvalidOneTimeTokenError, as {@link redeem} does
   */
  async find<P extends TokenPurpose>(purposes: readonly P[], token: string): Promise<Found<P>> {
    const { userId, ...found } = await this.look(purposes, token);
    if (userId === null) {
      throw new InvalidOneTimeTokenError();
    }
    return { ...found, userId };
  }

  /** As {@link find}, also where no account exists yet. @throws InvalidOneTimeTokenError */
  async look<P extends TokenPurpose>(
    purposes: readonly P[],
    token: string,
  ): Promise<Redeemed<P> & { readonly purpose: P }> {
    const found = await this.repository.find(purposes, sha256(token));
    if (!found) {
      throw new InvalidOneTimeTokenError();
    }
    return found as Redeemed<P> & { purpose: P };
  }

  /** Makes the links of earlier registrations of an address worthless. */
  revokeRegistrations(email: string): Promise<void> {
    return this.repository.revokeRegistrations(email);
  }

  /** Makes the tokens a person still has worthless. */
  revokeAllOf(userId: string, purposes: readonly TokenPurpose[]): Promise<void> {
    return this.repository.revokeAllOf(userId, purposes);
  }
}
