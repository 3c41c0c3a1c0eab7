import type { User } from '../users/users.types.js';

/** Who signs in from where, as far as the request tells. */
export interface ClientInfo {
  readonly address: string | null;
  readonly userAgent: string | null;
}

/** What a client needs to go on: a short access token, and the token that renews it. */
export interface TokenPair {
  /** JWT (RFC 9068). */
  readonly accessToken: string;
  /** Opaque; valid for one use. */
  readonly refreshToken: string;
  /** Seconds until the access token expires. */
  readonly expiresInSeconds: number;
  /** Seconds until the refresh token expires. */
  readonly refreshExpiresInSeconds: number;
}

/** What a person signs in with. */
export interface Credentials {
  /** E-mail address or username, in any case. */
  readonly identifier: string;
  readonly password: string;
  /** Of an earlier login on this device: what strangers guess elsewhere does not lock it out. */
  readonly knownDevice?: string | undefined;
  /** The session is to last for a month, not for a week. */
  readonly rememberMe?: boolean | undefined;
}

export interface SignedIn extends TokenPair {
  readonly user: User;
  /** To be presented at the next login on this device. */
  readonly knownDevice: string;
}

/** Why a session ended. */
export type RevocationReason =
  | 'logout'
  | 'logout_all'
  | 'logout_others'
  | 'revoked'
  | 'evicted'
  | 'token_reuse'
  | 'password_changed'
  | 'password_reset'
  | 'email_changed'
  | 'blocked'
  | 'role_changed'
  | 'account_deleted';

/** One signed-in client, as its owner sees it. */
export interface Session {
  readonly id: string;
  /** What the user agent seems to be: `Firefox on Windows`. */
  readonly device: string;
  readonly address: string | null;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
  readonly rememberMe: boolean;
}

/** Asked inside of the transaction that deletes an account; what it throws keeps the account. */
export type AccountDeletionHandler = (userId: string) => Promise<void>;
