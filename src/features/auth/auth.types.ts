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
}

export interface SignedIn extends TokenPair {
  readonly user: User;
}

/** Why a session ended. */
export type RevocationReason = 'logout' | 'token_reuse';
