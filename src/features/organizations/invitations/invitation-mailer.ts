import { Injectable } from '@nestjs/common';
import type { OrganizationRole } from '../../../contracts/resources.js';
import { EventLog } from '../../../platform/events/event-log.js';
import { Mailer } from '../../../platform/mail/mailer.js';
import { EmailQuotaService } from '../../auth/email/email-quota.service.js';
import { UsersService } from '../../users/users.service.js';
import { MembershipsRepository } from '../memberships.repository.js';
import { OrganizationsRepository } from '../organizations.repository.js';

export interface InvitationMail {
  readonly invitationId: string;
  readonly organizationId: string;
  readonly inviterId: string;
  readonly email: string;
  readonly role: OrganizationRole;
  readonly token: string;
}

@Injectable()
export class InvitationMailer {
  constructor(
    private readonly mailer: Mailer,
    private readonly quota: EmailQuotaService,
    private readonly organizations: OrganizationsRepository,
    private readonly memberships: MembershipsRepository,
    private readonly users: UsersService,
    private readonly events: EventLog,
  ) {}

  /** Queues the mail; it is sent after the surrounding transaction has committed. @throws EmailQuotaExceededError */
  async send({ invitationId, organizationId, inviterId, email, role, token }: InvitationMail): Promise<void> {
    await this.quota.require(email);
    const { name } = await this.organizations.get(inviterId, organizationId);
    const inviter = await this.memberships.find(organizationId, inviterId);
    await this.mailer.enqueue({
      to: email,
      template: 'organization_invitation',
      values: { organizationName: name, inviterName: inviter?.displayName ?? name, role, token },
    });
    const account = await this.users.findUndeletedByIdentifier(email);
    // Also where there is no account, as a row of no feed: a gap in the ids would tell the inviter which it is.
    await this.events.append({
      type: 'invitation_received',
      payload: { invitationId, organizationId, organizationName: name, role },
      source: 'system',
      actor: 'system',
      ...(account ? { userId: account.id } : {}),
    });
  }
}
