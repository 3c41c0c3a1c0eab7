import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { UserPasswordsService } from '../../users/user-passwords.service.js';
import { UsersService } from '../../users/users.service.js';
import type { NewUser, PreparedAccount, User } from '../../users/users.types.js';
import { InvalidOneTimeTokenError, RegistrationClosedError, WrongPasswordError } from '../auth.errors.js';
import { EmailQuotaService } from '../email/email-quota.service.js';
import { OneTimeTokensService } from '../tokens/one-time-tokens.service.js';

const CONFIRM_TTL_MS = 24 * 3_600_000;

/** Accounts that people make themselves, as far as the configuration lets them. */
@Injectable()
export class RegistrationService {
  constructor(
    private readonly config: AppConfig,
    private readonly users: UsersService,
    private readonly passwords: UserPasswordsService,
    private readonly tokens: OneTimeTokensService,
    private readonly quota: EmailQuotaService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  /**
   * Makes the account at once, or mails a link that makes it.
   * @returns null where a mail says more, so that nothing here tells whether the e-mail address is taken.
   * @throws RegistrationClosedError, WeakPasswordError, BusyError; EmailTakenError, UsernameTakenError in mode `open`
   */
  async register(account: Omit<NewUser, 'role'>): Promise<User | null> {
    const mode = this.config.registration;
    if (mode === 'closed') {
      throw new RegistrationClosedError();
    }
    const prepared = await this.users.prepare(account);
    if (mode === 'open') {
      return this.create(prepared);
    }
    await this.invite(prepared);
    return null;
  }

  /**
   * Makes the account that a mailed link stands for; without its username, if that was taken meanwhile.
   * @param password the one of the registration. Without it, a stranger could register another person's e-mail address
   *   with a password of their own, and have an account there once that person follows the link.
   * @throws InvalidOneTimeTokenError, WrongPasswordError, EmailTakenError, BusyError
   */
  async confirm(token: string, password: string): Promise<User> {
    const { account } = (await this.tokens.peek(['registration'], token)).payload;
    if (!account) {
      throw new InvalidOneTimeTokenError();
    }
    if (!(await this.passwords.matches(account.passwordHash, password))) {
      throw new WrongPasswordError();
    }
    return this.make(token);
  }

  private make(token: string): Promise<User> {
    return this.transactions.run(async () => {
      const { account } = (await this.tokens.redeem('registration', token)).payload;
      if (!account) {
        throw new InvalidOneTimeTokenError();
      }
      const { username } = account;
      const isTaken = username !== null && (await this.users.findByIdentifier(username)) !== null;
      const user = await this.create({ ...account, username: isTaken ? null : username });
      await this.tokens.revokeRegistrations(account.email);
      return user;
    });
  }

  private create(account: PreparedAccount): Promise<User> {
    return this.transactions.run(async () => {
      const user = await this.users.createPrepared(account);
      await this.audit.record({
        action: 'account_registered',
        actor: `user:${user.id}`,
        entity: { type: 'user', id: user.id },
        after: { email: user.email, username: user.username },
      });
      return user;
    });
  }

  /**
   * The same work, a token and a mail to the same e-mail address, whether it has an account or not. Every link that was mailed
   * stays valid until one of them makes the account: else strangers could keep the owner from ever having one.
   */
  private async invite(account: PreparedAccount): Promise<void> {
    const { email } = account;
    const really = await this.quota.consume(email);
    const owner = await this.users.findByIdentifier(email);
    await this.transactions.run(async () => {
      const token = await this.tokens.issue('registration', {
        payload: { account: owner || !really ? null : account },
        ttlMs: CONFIRM_TTL_MS,
      });
      await this.quota.send(
        owner
          ? {
              to: email,
              template: 'security_notice',
              values: { displayName: owner.displayName, notice: 'registration_attempted' },
            }
          : { to: email, template: 'registration', values: { token } },
        { really },
      );
      await this.audit.record({
        action: 'account_registered',
        entity: { type: 'user', id: null },
        after: { pending: true },
      });
    });
  }
}
