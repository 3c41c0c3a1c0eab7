import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { NewMail } from '../../../contracts/mail.js';
import { MailRequestRegistry } from '../../../platform/mail/mail-request-registry.js';
import { Mailer } from '../../../platform/mail/mailer.js';
import { PreferencesService } from '../../account/preferences.service.js';
import { canAct } from '../../users/account-standing.types.js';
import { UsersService } from '../../users/users.service.js';
import { ExportsRepository } from '../exports.repository.js';
import { type Export, WAIT_LEASE_MS } from '../exports.types.js';
import type { EndedExport } from './export-runs.repository.js';

declare module '../../../contracts/mail.js' {
  interface MailRequests {
    /** Of an export that ended while a request waited for it. */
    export_ended: { readonly exportId: string };
  }
}

/** Mails that tell of the end of an export, to who can act, and wants mails. */
@Injectable()
export class ExportMailer implements OnModuleInit {
  constructor(
    private readonly mailer: Mailer,
    private readonly requests: MailRequestRegistry,
    private readonly exports: ExportsRepository,
    private readonly preferences: PreferencesService,
    private readonly users: UsersService,
  ) {}

  onModuleInit(): void {
    this.requests.register('export_ended', ({ exportId }) => this.mailOfUntold(exportId));
  }

  /** In the transaction of the end. Where a request waits, its process may end before it answers: whether it did is asked later. */
  async tellOf(ended: EndedExport): Promise<void> {
    if (ended.isWaitedFor) {
      await this.mailer.request({ request: 'export_ended', details: { exportId: ended.id } }, WAIT_LEASE_MS);
      return;
    }
    const mail = await this.mailOf(ended);
    if (mail) {
      await this.mailer.enqueue(mail);
    }
  }

  private async mailOfUntold(exportId: string): Promise<NewMail | null> {
    const untold = await this.exports.findUntold(exportId);
    return untold && this.mailOf(untold);
  }

  private async mailOf({ id: exportId, userId, type, rows, failure }: Export): Promise<NewMail | null> {
    const [{ email: to, ...account }, { notificationChannels }] = [
      await this.users.getAccount(userId),
      await this.preferences.get(userId),
    ];
    if (!canAct(account) || !notificationChannels.includes('email')) {
      return null;
    }
    return failure
      ? { to, template: 'export_failed', values: { exportId, type, failure } }
      : { to, template: 'export_ready', values: { exportId, type, rows } };
  }
}
