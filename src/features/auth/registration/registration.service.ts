import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { Transactions } from '../../../platform/prisma/transaction.js';
import { UsersService } from '../../users/users.service.js';
import type { NewUser, PreparedAccount, User } from '../../users/users.types.js';
import { InvalidOneTimeTokenError, RegistrationClosedError, WrongPasswordError } from '../auth.errors.js';
import { EmailQuota } from '../email/email-quota.js';
import { OneTimeTokensService } from '../tokens/one-time-tokens.service.js';

const CONFIRM_TTL_MS = 24 * 3_600_000;

/** Accounts that people make themselves, as far as the configuration lets them. */
@Injectable()
export class RegistrationService {
  constructor(
    private readonly config: AppConfig,
    private readonly users: UsersService,
    private readonly tokens: OneTimeTokensService,
    private readonly allowance: EmailQuota,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  /**
   * Makes the account at once, or mails a link that makes it.
   * @returns null where a mail says more: then nothing here tells whether the address is taken.
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
   * Makes the account that a mailed link stands for. It goes without its username, should somebody have taken that.
   * @param password the one of the registration: else whoever registered another person's address, and got them to
   *   follow the link, would have an account there with a password of their own.
   * @throws InvalidOneTimeTokenError, WrongPasswordError, EmailTakenError, BusyError
   */
  async confirm(token: string, password: string): Promise<User> {
    const { account } = (await this.tokens.look(['registration'], token)).payload;
    if (!account) {
      throw new InvalidOneTimeTokenError();
    }
    if (!(await this.users.passwords.matches(account.passwordHash, password))) {
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
      return this.create({ ...account, username: isTaken ? null : username });
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
   * The same work, a token and a mail to the same address, whoever it belongs to. Where a mail goes out, its link is the
   * only one that is good; where the address has had enough of them, the last one stays good, or strangers could keep
   * its owner from ever having an account.
   */
  private async invite(account: PreparedAccount): Promise<void> {
    const { email } = account;
    const really = await this.allowance.ask(email);
    const owner = await this.users.findByIdentifier(email);
    await this.transactions.run(async () => {
      await this.tokens.revokeRegistrations(really ? email : '');
      const token = await this.tokens.issue('registration', {
        payload: { account: owner || !really ? null : account },
        ttlMs: CONFIRM_TTL_MS,
      });
      await this.allowance.send(
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
