import { Injectable, type OnModuleInit } from '@nestjs/common';
import { MailRefusedError, MailTransport } from '../../../platform/mail/mail-transport.js';
import { UsersService } from '../../users/users.service.js';
import { type ChannelMessage, NotificationTransport, type SendOutcome } from './notification-transport.js';
import { NotificationChannelRegistry } from './notification-channel-registry.js';
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
  ) {
    super();
  }

  onModuleInit(): void {
    this.registry.register(this);
  }

  /** Each account has an address. */
  reachable(userIds: readonly string[]): Promise<ReadonlySet<string>> {
    return Promise.resolve(new Set(userIds));
  }

  async send({ id, userId, title, text, url, language, kinds }: ChannelMessage): Promise<SendOutcome> {
    const { email: to } = await this.users.getAccount(userId);
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
