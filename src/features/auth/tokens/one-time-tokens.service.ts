import { Injectable } from '@nestjs/common';
import { randomToken, sha256 } from '../../../platform/crypto/digest.js';
import type { PreparedAccount } from '../../users/users.types.js';
import { InvalidOneTimeTokenError } from '../auth.errors.js';
import { OneTimeTokensRepository } from './one-time-tokens.repository.js';

/** What a token carries, by its purpose. */
export interface OneTimePayloads {
  password_reset: Record<string, never>;
  /** For an account that an administrator made, or whose password they reset. */
  set_password: Record<string, never>;
  /** From a login whose password must be changed; with the hash of the one-time password that it consumed. */
  password_change: { used?: string };
  /** The e-mail address that the token was mailed to. */
  email_change: { email: string };
  /** Lets an account unlock doors before the day after an administrator's reset is over. */
  unlock_confirmation: Record<string, never>;
  /** The account to be. Null where the e-mail address was taken; such a token is not mailed. */
  registration: { account: PreparedAccount | null };
}
export const TOKEN_PURPOSES = [
  'password_reset',
  'set_password',
  'password_change',
  'email_change',
  'unlock_confirmation',
  'registration',
] as const satisfies readonly (keyof OneTimePayloads)[];
export type TokenPurpose = (typeof TOKEN_PURPOSES)[number];

/** A token that was consumed. */
export interface Redeemed<P extends TokenPurpose> {
  /** Null where no account exists. */
  readonly userId: string | null;
  readonly payload: OneTimePayloads[P];
}

/** A token that is valid. */
export interface Found<P extends TokenPurpose> {
  readonly userId: string;
  readonly purpose: P;
  readonly payload: OneTimePayloads[P];
}

/** Mailed secrets for one use: 256 random bits, of which only the hash is kept. */
@Injectable()
export class OneTimeTokensService {
  constructor(private readonly repository: OneTimeTokensRepository) {}

  /** @returns the token, which cannot be read again. */
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
   * Consumes a token. Call it inside the transaction of what it is for, so that a failure gives it back.
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
   * Finds the owner of a token, and which of `purposes` it has, without consuming it.
   * @throws InvalidOneTimeTokenError, as {@link redeem} does
   */
  async find<P extends TokenPurpose>(purposes: readonly P[], token: string): Promise<Found<P>> {
    const { userId, ...found } = await this.peek(purposes, token);
    if (userId === null) {
      throw new InvalidOneTimeTokenError();
    }
    return { ...found, userId };
  }

  /** As {@link find}, also for a token without an account. @throws InvalidOneTimeTokenError */
  async peek<P extends TokenPurpose>(
    purposes: readonly P[],
    token: string,
  ): Promise<Redeemed<P> & { readonly purpose: P }> {
    const found = await this.repository.find(purposes, sha256(token));
    if (!found) {
      throw new InvalidOneTimeTokenError();
    }
    return found as Redeemed<P> & { purpose: P };
  }

  /** Revokes the links of earlier registrations of an e-mail address. */
  revokeRegistrations(email: string): Promise<void> {
    return this.repository.revokeRegistrations(email);
  }

  /** Revokes the tokens of a person that are not used yet. */
  revokeAllOf(userId: string, purposes: readonly TokenPurpose[]): Promise<void> {
    return this.repository.revokeAllOf(userId, purposes);
  }
}
