import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { MailAskedFrom, MailRequests, NewMail } from '../../../contracts/mail.js';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { newContext, requestContext, runInContext } from '../../../platform/context/request-context.js';
import { MailRequestRegistry } from '../../../platform/mail/mail-request-registry.js';
import { Mailer } from '../../../platform/mail/mailer.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { canonicalIdentifier } from '../../../shared/identifiers.js';
import { canAct } from '../../users/account-standing.types.js';
import { UsersService } from '../../users/users.service.js';
import type { User } from '../../users/users.types.js';
import { EmailQuotaService } from '../email/email-quota.service.js';
import { KnownDevicesService } from '../login/known-devices.service.js';
import { OneTimeTokensService } from '../tokens/one-time-tokens.service.js';

const RESET_TTL_MS = 3_600_000;

/** Links that reset forgotten passwords. */
@Injectable()
export class PasswordRecoveryService implements OnModuleInit {
  constructor(
    private readonly users: UsersService,
    private readonly tokens: OneTimeTokensService,
    private readonly devices: KnownDevicesService,
    private readonly quota: EmailQuotaService,
    private readonly mailer: Mailer,
    private readonly requests: MailRequestRegistry,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  onModuleInit(): void {
    this.requests.register('password_reset', (details, attempt) => this.write(details, attempt));
  }

  /**
   * Mails a link, if there is such an account. It is looked for only after the answer, so neither the answer nor its time
   * can tell.
   * @param identifier e-mail address or username, in any case.
   * @param knownDevice of the client that asks.
   */
  async forgot(identifier: string, knownDevice = ''): Promise<void> {
    const name = canonicalIdentifier(identifier);
    // Former holders of the name have such a token, too: whether this one still is good is found out with the account.
    const isOfName = this.devices.isOfName(knownDevice, name);
    const allowed = isOfName || (await this.quota.consume(name));
    await this.transactions.run(async () => {
      if (allowed) {
        await this.mailer.request({
          request: 'password_reset',
          details: { identifier: name, from: askedFrom(), ...(isOfName ? { knownDevice } : {}) },
        });
      }
      await this.audit.record({ action: 'password_reset_requested', entity: { type: 'user', id: null } });
    });
  }

  /** The audit trail names the account from here on, with what is known of the request. */
  private async write(details: MailRequests['password_reset'], attempt: number): Promise<NewMail | null> {
    const user = await this.users.findUndeletedByIdentifier(details.identifier);
    if (!user || (attempt === 1 && !(await this.consume(details, user)))) {
      return null;
    }
    const { id: userId } = user;
    const { requestId, address, userAgent } = details.from;
    const context = newContext('system', 'anonymous', {
      requestId,
      ...(address === null ? {} : { address }),
      ...(userAgent === null ? {} : { userAgent }),
    });
    return runInContext(context, () =>
      this.transactions.run(async () => {
        // Held until the link is committed: a change of the e-mail address revokes it, or comes first and is mailed to.
        const account = await this.users.lock(userId);
        if (!canAct(account)) {
          return null;
        }
        const { email, displayName } = account;
        const token = await this.tokens.issue('password_reset', { userId, payload: {}, ttlMs: RESET_TTL_MS });
        await this.audit.record({ action: 'password_reset_requested', entity: { type: 'user', id: userId } });
        return { to: email, template: 'password_reset', values: { displayName, token } };
      }),
    );
  }

  /** Counts what was not counted when it was asked for: only here it is known whose mailbox it is. */
  private async consume(
    { identifier, from, knownDevice }: MailRequests['password_reset'],
    { id, email }: User,
  ): Promise<boolean> {
    const onKnownDevice = knownDevice !== undefined && (await this.devices.isCurrentOf(knownDevice, id));
    const asked = { askedFrom: from.address, onKnownDevice };
    return (
      (knownDevice === undefined || (await this.quota.consume(identifier, asked))) &&
      (identifier === email || (await this.quota.consume(email, { ...asked, byUsername: true })))
    );
  }
}

function askedFrom(): MailAskedFrom {
  const { requestId, address = null, userAgent = null } = requestContext() ?? newContext('system', 'anonymous');
  return { requestId, address, userAgent };
}
