import { Injectable } from '@nestjs/common';
import type { DevicePermission } from '../../../contracts/devices.js';
import { EmailQuotaService } from '../../auth/email/email-quota.service.js';
import { DeviceAccessRepository } from '../access/device-access.repository.js';

/** What a mail about a share says. */
export interface ShareMail {
  readonly deviceId: string;
  readonly grantorId: string;
  readonly email: string;
  readonly permission: DevicePermission;
  /** Null where the person has an account. */
  readonly token: string | null;
}

/** Tells people what was shared with them. */
@Injectable()
export class ShareMailer {
  constructor(
    private readonly quota: EmailQuotaService,
    private readonly access: DeviceAccessRepository,
  ) {}

  /**
   * Queues the mail; it is sent after the surrounding transaction has committed. A mailbox that got enough mails this hour gets none,
   * and the share stands all the same: one link accepts everything that waits for its address.
   * @throws EmailQuotaExceededError with `orRefuse`
   */
  async send({ deviceId, grantorId, email, permission, token }: ShareMail, { orRefuse = false } = {}): Promise<void> {
    if (orRefuse) {
      await this.quota.require(email);
    }
    const really = orRefuse || (await this.quota.consume(email));
    const names = await this.access.findNames(deviceId, grantorId);
    const values = { ...names, permission };
    await this.quota.send(
      token === null
        ? { to: email, template: 'device_shared', values }
        : { to: email, template: 'device_share_invitation', values: { ...values, token } },
      { really },
    );
  }
}
