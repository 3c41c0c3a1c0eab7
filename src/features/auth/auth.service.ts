import { Injectable } from '@nestjs/common';
import { AccessTokens } from '../../platform/auth/access-tokens.js';
import type { Principal } from '../../platform/auth/principal.js';
import { KeyStore, type PublicJwk } from '../../platform/crypto/key-store.js';
import type { NewUser, User } from '../users/users.types.js';
import { UsersService } from '../users/users.service.js';
import { InvalidCredentialsError } from './auth.errors.js';
import type { ClientInfo, SignedIn, TokenPair } from './auth.types.js';
import { type OpenSession, SessionsService } from './sessions.service.js';

/** The front door for people: registration, sign-in, renewal, sign-out. */
@Injectable()
export class AuthService {
  constructor(
    private readonly users: UsersService,
    private readonly sessions: SessionsService,
    private readonly accessTokens: AccessTokens,
    private readonly keys: KeyStore,
  ) {}

  /** @throws EmailTakenError, UsernameTakenError, WeakPasswordError, BusyError */
  register(account: Omit<NewUser, 'role'>): Promise<User> {
    return this.users.create({ ...account, role: 'USER' });
  }

  /**
   * @param identifier e-mail address or username, in any case.
   * @throws InvalidCredentialsError, the same and after the same time whether the person or the password is wrong
   * @throws BusyError when too many are signing in
   */
  async login(identifier: string, password: string, client: ClientInfo): Promise<SignedIn> {
    const user = await this.users.authenticate(identifier, password);
    if (!user) {
      throw new InvalidCredentialsError();
    }
    return { ...(await this.tokensOf(await this.sessions.open(user, client))), user };
  }

  /** @throws InvalidRefreshTokenError, TokenReusedError */
  async refresh(refreshToken: string): Promise<TokenPair> {
    return this.tokensOf(await this.sessions.rotate(refreshToken));
  }

  /** Ends the session: its access tokens, refresh token and sockets are refused from now on. */
  logout(principal: Principal): Promise<void> {
    return this.sessions.revoke(principal.sessionId, 'logout');
  }

  /** The keys that verify access tokens, for other services that accept them. */
  verificationKeys(): Promise<PublicJwk[]> {
    return this.keys.verificationKeys('access_token');
  }

  private async tokensOf({ principal, refreshToken }: OpenSession): Promise<TokenPair> {
    const { token, expiresInSeconds } = await this.accessTokens.sign(principal);
    return { accessToken: token, refreshToken, expiresInSeconds };
  }
}
