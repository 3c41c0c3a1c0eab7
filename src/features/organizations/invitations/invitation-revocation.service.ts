import { Injectable } from '@nestjs/common';
import { ORGANIZATION_ROLES, type OrganizationRole } from '../../../contracts/resources.js';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { requestContext } from '../../../platform/context/request-context.js';
import { canAssignRole } from '../domain/roles.js';
import { InvitationsRepository } from './invitations.repository.js';

/** Ends invitations whose sender lost the right to them. Each leaves an audit entry, in the transaction of the loss. */
@Injectable()
export class InvitationRevocationService {
  constructor(
    private readonly repository: InvitationsRepository,
    private readonly audit: AuditWriter,
  ) {}

  /** All that these users sent: their accounts were blocked or deleted. */
  revokeSentBy(userIds: readonly string[]): Promise<void> {
    return this.revoke(userIds, null, []);
  }

  /** Those of one organization that a member may not send with their present role; null: they are no member any more. */
  revokeBeyond(organizationId: string, memberId: string, role: OrganizationRole | null): Promise<void> {
    const kept = role === null ? [] : ORGANIZATION_ROLES.filter((given) => canAssignRole(role, given));
    return this.revoke([memberId], organizationId, kept);
  }

  private async revoke(
    userIds: readonly string[],
    organizationId: string | null,
    kept: readonly OrganizationRole[],
  ): Promise<void> {
    const revoked = await this.repository.revokeSentBy(userIds, organizationId, kept);
    if (revoked.length > 0) {
      await this.audit.recordEach(
        revoked.map(({ id, email, role, organizationId, invitedBy }) => ({
          context: requestContext(),
          record: {
            action: 'invitation_revoked',
            entity: { type: 'invitation', id },
            before: { organizationId, email, role, invitedBy },
          },
        })),
      );
    }
  }
}
