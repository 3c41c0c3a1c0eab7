import { Injectable } from '@nestjs/common';
import { setAuditTarget } from '../../../platform/audit/audit.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { UserPasswordsService } from '../../users/user-passwords.service.js';
import { UsersService } from '../../users/users.service.js';
import { PasswordUnchangedError } from '../auth.errors.js';
import { ReauthenticationService } from '../login/reauthentication.service.js';
import { OneTimeTokensService } from '../tokens/one-time-tokens.service.js';
import { type PasswordChange, PasswordChangeService } from './password-change.service.js';

type PasswordToken = 'password_reset' | 'set_password' | 'password_change';

/** Passwords that people choose, with the last one or with a token that stands for it. */
@Injectable()
export class PasswordsService {
  constructor(
    private readonly users: UsersService,
    private readonly passwords: UserPasswordsService,
    private readonly changes: PasswordChangeService,
    private readonly tokens: OneTimeTokensService,
    private readonly reauthentication: ReauthenticationService,
  ) {}

  /**
   * Ends the person's other sessions.
   * @returns a token by which this device stays known.
   * @throws WrongPasswordError, SessionEndedError, WeakPasswordError, PasswordUnchangedError, LoginThrottledError, BusyError
   */
  async change(principal: Principal, current: string, chosen: string): Promise<string> {
    const { userId, sessionId } = principal;
    const proof = await this.reauthentication.verifyPassword(principal, current, 'currentPassword');
    if (current === chosen) {
      throw new PasswordUnchangedError();
    }
    return this.store(chosen, {
      userId,
      authority: 'last_password',
      claim: () => this.reauthentication.hold(proof),
      exceptSessionId: sessionId,
    });
  }

  /**
   * By the token of a mail: a forgotten password, or the first one. Ends all sessions.
   * @throws InvalidOneTimeTokenError, WeakPasswordError, BusyError
   */
  async reset(token: string, chosen: string): Promise<string> {
    return this.redeem(['password_reset', 'set_password'], token, chosen);
  }

  /**
   * By the token that a login was refused with. Ends all sessions.
   * @throws InvalidOneTimeTokenError, WeakPasswordError, PasswordUnchangedError, BusyError
   */
  complete(changeToken: string, chosen: string): Promise<string> {
    return this.redeem(['password_change'], changeToken, chosen);
  }

  private async redeem(purposes: readonly PasswordToken[], token: string, chosen: string): Promise<string> {
    // Found here and consumed later, because hashing a password takes longer than a transaction should.
    const { userId, purpose, payload } = await this.tokens.find(purposes, token);
    setAuditTarget({ type: 'user', id: userId });
    if (purpose === 'password_change' && (await this.isLast(userId, payload, chosen))) {
      throw new PasswordUnchangedError();
    }
    return this.store(chosen, {
      userId,
      authority: authorityOf(purpose, payload),
      claim: () => this.tokens.redeem(purpose, token),
    });
  }

  private async isLast(userId: string, { used }: { used?: string }, chosen: string): Promise<boolean> {
    return used === undefined
      ? (await this.passwords.verifyUser(userId, chosen)) !== null
      : await this.passwords.matches(used, chosen);
  }

  private async store(password: string, change: Omit<PasswordChange, 'passwordHash'>): Promise<string> {
    const owner = await this.users.get(change.userId);
    const passwordHash = await this.passwords.hash(password, owner, 'newPassword');
    return this.changes.apply({ ...change, passwordHash });
  }
}

/** The token of a refused login stands for the password of that login, which may be one that an administrator handed out. */
function authorityOf(purpose: PasswordToken, { used }: { used?: string }): PasswordChange['authority'] {
  if (purpose !== 'password_change') {
    return 'mailed_link';
  }
  return used === undefined ? 'last_password' : 'one_time_password';
}
