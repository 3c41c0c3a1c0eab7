import { Injectable } from '@nestjs/common';
import { setAuditTarget } from '../../../platform/audit/audit.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { Mailer } from '../../../platform/mail/mailer.js';
import { UsersService } from '../../users/users.service.js';
import { PasswordUnchangedError } from '../auth.errors.js';
import { OneTimeTokensService } from '../tokens/one-time-tokens.service.js';
import { type PasswordChange, PasswordChangeService, type PasswordToken } from './password-change.service.js';
import { ReauthenticationService } from '../login/reauthentication.service.js';

/** Choosing a password: by who knows the last one, or has a token that stands for it. */
@Injectable()
export class PasswordsService {
  constructor(
    private readonly users: UsersService,
    private readonly changes: PasswordChangeService,
    private readonly tokens: OneTimeTokensService,
    private readonly reauthentication: ReauthenticationService,
    private readonly mailer: Mailer,
  ) {}

  /**
   * Ends the person's other sessions.
   * @returns a token by which this device stays known.
   * @throws WrongPasswordError, WeakPasswordError, PasswordUnchangedError, LoginThrottledError, BusyError
   */
  async change(principal: Principal, current: string, chosen: string): Promise<string> {
    const { userId } = await this.reauthentication.prove(principal, current, 'currentPassword');
    if (current === chosen) {
      throw new PasswordUnchangedError();
    }
    return this.store(chosen, { userId, reason: 'password_changed', exceptSessionId: principal.sessionId });
  }

  /**
   * By the token of a mail: a forgotten password, or the first one. Ends all sessions.
   * @throws InvalidOneTimeTokenError, WeakPasswordError, BusyError
   */
  async reset(token: string, chosen: string): Promise<string> {
    return this.redeem(['password_reset', 'set_password'], token, chosen);
  }

  /**
   * By the token of a login that is good for this only. Ends all sessions.
   * @throws InvalidOneTimeTokenError, WeakPasswordError, PasswordUnchangedError, BusyError
   */
  complete(changeToken: string, chosen: string): Promise<string> {
    return this.redeem(['password_change'], changeToken, chosen);
  }

  private async redeem(purposes: readonly PasswordToken[], token: string, chosen: string): Promise<string> {
    // Looked at before it is used: hashing a password takes longer than a transaction should.
    const { userId, purpose, payload } = await this.tokens.find(purposes, token);
    setAuditTarget({ type: 'user', id: userId });
    if (purpose === 'password_change' && (await this.isLast(userId, payload, chosen))) {
      throw new PasswordUnchangedError();
    }
    const reason = purpose === 'password_change' ? 'password_changed' : 'password_reset';
    return this.store(chosen, { userId, reason, redeems: { purpose, token } });
  }

  private async isLast(userId: string, { used }: { used?: string }, chosen: string): Promise<boolean> {
    const { passwords } = this.users;
    return used === undefined
      ? (await passwords.proveUser(userId, chosen)) !== null
      : await passwords.matches(used, chosen);
  }

  private async store(password: string, change: Omit<PasswordChange, 'passwordHash' | 'andThen'>): Promise<string> {
    const { email, username, displayName } = await this.users.get(change.userId);
    return this.changes.apply({
      ...change,
      passwordHash: await this.users.passwords.hash(password, { email, username, displayName }, 'newPassword'),
      andThen: () =>
        this.mailer.enqueue({
          to: email,
          template: 'security_notice',
          values: { displayName, notice: change.reason },
        }),
    });
  }
}
