import type { User } from '../users/users.types.js';

/** The client of a request, as far as the request tells. */
export interface ClientInfo {
  readonly ip: string | null;
  readonly userAgent: string | null;
}

/** A client that exchanges a refresh token. */
export interface RefreshingClient extends ClientInfo {
  /** The secret that its login answered, if it shows it. */
  readonly knownDevice?: string | undefined;
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
  /** Of an earlier login on this device, which guesses made elsewhere do not lock out. */
  readonly knownDevice?: string | undefined;
  /** The session lasts for a month instead of a week. */
  readonly rememberMe?: boolean | undefined;
}

/** A new session: its tokens, and whose it is. */
export interface SignedIn extends TokenPair {
  readonly user: User;
  /** To be presented at the next login on this device. */
  readonly knownDevice: string;
}

/** One signed-in client, as its owner sees it. */
export interface Session {
  readonly id: string;
  /** What the user agent seems to be: `Firefox on Windows`. */
  readonly device: string;
  readonly ip: string | null;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
  readonly rememberMe: boolean;
}
