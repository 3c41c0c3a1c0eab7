import { Injectable } from '@nestjs/common';
import { AuditTrail } from '../../platform/audit/audit-trail.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { UsersService } from '../users/users.service.js';
import { MailAllowance } from './mail-allowance.js';
import { OneTimeTokens } from './one-time-tokens.js';

const RESET_TTL_MS = 3_600_000;
const NOBODY = { id: null, email: 'nobody@example.invalid', displayName: 'Nobody' };

/** Forgotten passwords. */
@Injectable()
export class PasswordRecovery {
  constructor(
    private readonly users: UsersService,
    private readonly tokens: OneTimeTokens,
    private readonly allowance: MailAllowance,
    private readonly transactions: Transactions,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * Mails a link, if there is such an account that was not deleted. Whether or not there is one, it does the same work: neither the answer
   * nor its time tells.
   * @param identifier e-mail address or username, in any case.
   */
  async forgot(identifier: string): Promise<void> {
    const name = identifier.toLowerCase().normalize('NFC');
    const allowed = await this.allowance.ask(name);
    const user = (await this.users.findOpenByIdentifier(name)) ?? NOBODY;
    await this.transactions.run(async () => {
      const token = await this.tokens.issue('password_reset', { userId: user.id, payload: {}, ttlMs: RESET_TTL_MS });
      await this.allowance.send(
        { to: user.email, template: 'password_reset', values: { displayName: user.displayName, token } },
        { really: allowed && user.id !== null },
      );
      await this.audit.record({ action: 'password_reset_requested', entity: { type: 'user', id: user.id } });
    });
  }
}
