import { Injectable } from '@nestjs/common';
import { AccessTokenFactory } from '../../platform/auth/access-token-factory.js';
import type { Principal } from '../../platform/auth/principal.js';
import type { ClientInfo, Credentials, SignedIn, TokenPair } from './auth.types.js';
import { Logins } from './login/logins.js';
import { type OpenSession, SessionsService } from './sessions/sessions.service.js';

/** The front door for people: sign-in, renewal, sign-out. */
@Injectable()
export class AuthService {
  constructor(
    private readonly logins: Logins,
    private readonly sessions: SessionsService,
    private readonly accessTokens: AccessTokenFactory,
  ) {}

  /**
   * Opens a session for who knows the password.
   * @throws InvalidCredentialsError, LoginThrottledError: the same, after the same time, for accounts that do not exist
   * @throws AccountBlockedError, PasswordChangeRequiredError once the password was right
   * @throws BusyError when too many are signing in
   */
  async login(credentials: Credentials, client: ClientInfo): Promise<SignedIn> {
    const { session, user, knownDevice } = await this.logins.open(credentials, client);
    return { ...(await this.tokensOf(session)), user, knownDevice };
  }

  /** @throws InvalidRefreshTokenError, SessionEndedError, TokenReusedError */
  async refresh(refreshToken: string): Promise<TokenPair> {
    return this.tokensOf(await this.sessions.rotate(refreshToken));
  }

  /** Ends the session: its access tokens, refresh token and sockets are refused from now on. */
  logout(principal: Principal): Promise<void> {
    return this.sessions.logout(principal);
  }

  private async tokensOf({ principal, refreshToken, refreshTtlMs }: OpenSession): Promise<TokenPair> {
    const { token, expiresInSeconds } = await this.accessTokens.sign(principal);
    return {
      accessToken: token,
      refreshToken,
      expiresInSeconds,
      refreshExpiresInSeconds: Math.floor(refreshTtlMs / 1_000),
    };
  }
}
