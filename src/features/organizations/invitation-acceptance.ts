import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import { sha256 } from '../../platform/crypto/digest.js';
import { Idempotency } from '../../platform/idempotency/idempotency.js';
import { disposes } from './domain/roles.js';
import { InvitationsRepository } from './invitations.repository.js';
import { InvalidInvitationError } from './organizations.errors.js';
import { Roster } from './roster.js';

/** How invited people join. */
@Injectable()
export class InvitationAcceptance {
  constructor(
    private readonly invitations: InvitationsRepository,
    private readonly roster: Roster,
    private readonly audit: AuditWriter,
    private readonly once: Idempotency,
  ) {}

  /**
   * Uses an invitation up and makes its holder a member. It must be for the address of their account, and whoever sent
   * it must still be allowed to.
   * @returns the id of the organization
   * @throws InvalidInvitationError, AlreadyMemberError
   */
  accept(userId: string, token: string): Promise<string> {
    return this.once.run(() => this.join(userId, token));
  }

  private async join(userId: string, token: string): Promise<string> {
    const tokenHash = sha256(token);
    const accepted = (await this.invitations.lockOrganization(tokenHash))
      ? await this.invitations.accept(tokenHash, userId)
      : null;
    if (!accepted?.inviterRole || !disposes(accepted.inviterRole, accepted.role)) {
      throw new InvalidInvitationError();
    }
    const { id, organizationId, role } = accepted;
    await this.roster.add(organizationId, userId, role);
    await this.audit.record({
      entity: { type: 'organization', id: organizationId },
      after: { userId, role, invitationId: id },
    });
    return organizationId;
  }
}
