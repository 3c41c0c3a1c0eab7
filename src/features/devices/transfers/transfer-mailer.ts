import { Injectable } from '@nestjs/common';
import { Mailer } from '../../../platform/mail/mailer.js';
import { EmailQuotaService } from '../../auth/email/email-quota.service.js';
import { UsersService } from '../../users/users.service.js';

@Injectable()
export class TransferMailer {
  constructor(
    private readonly mailer: Mailer,
    private readonly quota: EmailQuotaService,
    private readonly users: UsersService,
  ) {}

  /** The same happens whether the address has an account or not. @throws EmailQuotaExceededError */
  async send(senderId: string, email: string, mail: { deviceName: string; token: string }): Promise<void> {
    await this.quota.require(email);
    const { displayName: senderName } = await this.users.get(senderId);
    await this.mailer.enqueue({ to: email, template: 'device_transfer', values: { ...mail, senderName } });
  }

  /** Whether this is the address of the account itself. */
  async isOwn(userId: string, email: string): Promise<boolean> {
    return (await this.users.get(userId)).email === email;
  }
}
