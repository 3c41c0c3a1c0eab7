import { Injectable, type OnModuleInit } from '@nestjs/common';
import { requestContext } from '../../../platform/context/request-context.js';
import { Mailer } from '../../../platform/mail/mailer.js';
import { Transactions } from '../../../platform/prisma/transaction.js';
import { UsersService } from '../../users/users.service.js';
import type { Account } from '../../users/users.types.js';
import { InvalidOneTimeTokenError } from '../auth.errors.js';
import { OneTimeTokensService } from '../tokens/one-time-tokens.service.js';
import { PasswordResetService } from '../passwords/password-reset.service.js';
import { AccessRevocationService } from '../sessions/access-revocation.service.js';

/** What every change of an e-mail address brings with it, in one transaction: who had the old one has nothing of it. */
@Injectable()
export class EmailChangeService implements OnModuleInit {
  constructor(
    private readonly users: UsersService,
    private readonly tokens: OneTimeTokensService,
    private readonly access: AccessRevocationService,
    private readonly passwords: PasswordResetService,
    private readonly mailer: Mailer,
    private readonly transactions: Transactions,
  ) {}

  onModuleInit(): void {
    this.users.corrections.onCorrected((before, after) => this.corrected(before, after));
  }

  /** By the link that was mailed to the new address. @throws InvalidOneTimeTokenError, EmailTakenError */
  async confirm(token: string): Promise<void> {
    const { userId } = await this.tokens.find(['email_change'], token);
    const context = requestContext();
    if (context) {
      context.actor = `user:${userId}`;
    }
    await this.transactions.run(async () => {
      const account = await this.users.accounts.hold(userId);
      const { payload } = await this.tokens.redeem('email_change', token);
      if (account.status !== 'active') {
        throw new InvalidOneTimeTokenError();
      }
      await this.users.accounts.update(userId, { email: payload.email });
      await this.moved(account, 'email_changed');
    });
  }

  /** By an administrator. Where no password was chosen yet, the new address gets the invitation. */
  private async corrected(before: Account, { id, hasPassword }: Account): Promise<void> {
    await this.moved(before, 'email_changed_by_admin');
    if (!hasPassword) {
      await this.passwords.invite(id);
    }
  }

  private async moved(
    { id, email, displayName }: Account,
    notice: 'email_changed' | 'email_changed_by_admin',
  ): Promise<void> {
    await this.access.end(id, { reason: 'email_changed' });
    await this.mailer.enqueue({ to: email, template: 'security_notice', values: { displayName, notice } });
  }
}
