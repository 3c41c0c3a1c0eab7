import { Injectable, type OnModuleInit } from '@nestjs/common';
import { MailRefusedError, MailTransport } from '../../../platform/mail/mail-transport.js';
import { UsersService } from '../../users/users.service.js';
import { MailSuppressionsService } from './mail-suppressions.service.js';
import { type ChannelMessage, NotificationTransport, type SendOutcome } from '../channels/notification-transport.js';
import { NotificationChannelRegistry } from '../channels/notification-channel-registry.js';
import { UnsubscribeTokensService } from './unsubscribe-tokens.service.js';

/** Mails to the address of the account. One that is sent again has the same Message-ID. */
@Injectable()
export class EmailTransport extends NotificationTransport implements OnModuleInit {
  readonly name = 'email';

  constructor(
    private readonly registry: NotificationChannelRegistry,
    private readonly transport: MailTransport,
    private readonly users: UsersService,
    private readonly tokens: UnsubscribeTokensService,
    private readonly suppressions: MailSuppressionsService,
  ) {
    super();
  }

  onModuleInit(): void {
    this.registry.register(this);
  }

  /** Each account has an address. Those that bounce are not mailed. */
  async reachable(userIds: readonly string[]): Promise<ReadonlySet<string>> {
    const suppressed = await this.suppressions.of(userIds);
    return new Set(userIds.filter((userId) => !suppressed.has(userId)));
  }

  async send({ id, userId, title, text, url, language, kinds }: ChannelMessage): Promise<SendOutcome> {
    const [{ email: to }, suppressed] = await Promise.all([
      this.users.getAccount(userId),
      this.suppressions.of([userId]),
    ]);
    if (suppressed.has(userId)) {
      return { sent: false, reason: 'mail_suppressed', isPermanent: true, retryAfterMs: null, hasNoAddress: true };
    }
    const token = this.tokens.issue({ userId, kinds });
    try {
      await this.transport.send({ to, template: 'notification', values: { title, text, url, language, token } }, id);
      return { sent: true, providerId: null };
    } catch (error) {
      if (!(error instanceof MailRefusedError)) {
        throw error;
      }
      return { sent: false, reason: error.message, isPermanent: error.permanent, retryAfterMs: null };
    }
  }
}
