import { Injectable } from '@nestjs/common';
import type { OrganizationRole } from '../../../contracts/resources.js';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { randomToken, sha256 } from '../../../platform/crypto/digest.js';
import { IdempotencyService } from '../../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { CREATION_PARTS, decodeCursor, encodeCursor } from '../../../shared/cursor.js';
import { isUuid } from '../../../shared/ids.js';
import { type Page, toPage } from '../../../shared/paging.js';
import { canAssignRole } from '../domain/roles.js';
import { InvitationMailer } from './invitation-mailer.js';
import { InvitationsRepository } from './invitations.repository.js';
import { AccountStandingService } from '../../users/account-standing.service.js';
import { MembershipsService } from '../memberships.service.js';
import { InvalidInvitationError, InvitationNotFoundError, TooManyInvitationsError } from '../organizations.errors.js';
import type { Invitation, PageRequest } from '../organizations.types.js';
import { requireAssignable } from '../role-checks.js';

const TTL_MS = 7 * 24 * 60 * 60 * 1_000;
/** Keeps an organization from sending unwanted mail to the world in our name. */
const MAX_OPEN = 100;

export interface InvitationRequest {
  readonly email: string;
  readonly role: OrganizationRole;
}

/** Invitations to organizations. Their tokens exist only in the mail; the table keeps hashes. */
@Injectable()
export class InvitationsService {
  constructor(
    private readonly memberships: MembershipsService,
    private readonly standing: AccountStandingService,
    private readonly repository: InvitationsRepository,
    private readonly mailer: InvitationMailer,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    private readonly idempotency: IdempotencyService,
  ) {}

  /** Open invitations, oldest first. @throws InvalidCursorError */
  async list(organizationId: string, { limit, cursor }: PageRequest): Promise<Page<Invitation>> {
    const after = decodeCursor('invitations', cursor, CREATION_PARTS);
    return toPage(
      await this.repository.listOpen(organizationId, limit, after),
      limit,
      (invitation) => invitation,
      ({ createdAt, id }) => encodeCursor('invitations', [createdAt.toISOString(), id]),
    );
  }

  /**
   * Mails an invitation that is valid for 7 days. The same happens whether the e-mail address has an account or not.
   * Replaces an earlier invitation of the same e-mail address.
   * @throws ForbiddenError, AlreadyMemberError, TooManyInvitationsError, UnlockRestrictedError, EmailQuotaExceededError
   */
  invite(organizationId: string, actorId: string, request: InvitationRequest): Promise<Invitation> {
    return this.transactions.run(async () => {
      const { id } = await this.idempotency.once(() => this.create(organizationId, actorId, request));
      const invitation = await this.repository.find(organizationId, id);
      if (!invitation) {
        throw new InvitationNotFoundError(id);
      }
      return invitation;
    });
  }

  /** Invalidates the token of an open invitation. @throws InvitationNotFoundError, ForbiddenError */
  revoke(organizationId: string, actorId: string, id: string): Promise<void> {
    return this.transactions.run(async () => {
      const { actor } = await this.memberships.lock({ organizationId, actorId, memberId: actorId });
      const revoked = isUuid(id) ? await this.repository.revoke(organizationId, id) : null;
      if (!revoked) {
        throw new InvitationNotFoundError(id);
      }
      requireAssignable(actor, revoked.role);
      const { email, role } = revoked;
      await this.audit.record({ entity: { type: 'invitation', id }, before: { organizationId, email, role } });
    });
  }

  /**
   * Consumes a token and makes the user a member. The invitation must be for the e-mail address of their account, and
   * its sender must still be able to act and allowed to assign the role.
   * @returns the id of the organization
   * @throws InvalidInvitationError, AlreadyMemberError, TooManyOrganizationsError
   */
  accept(userId: string, token: string): Promise<string> {
    return this.transactions.run(async () => {
      const { id } = await this.idempotency.once(() => this.join(userId, token));
      return id;
    });
  }

  private async create(organizationId: string, actorId: string, { email, role }: InvitationRequest): Promise<string> {
    const { actor } = await this.memberships.lock({ organizationId, actorId, memberId: actorId });
    const { offeredRole, open } = await this.repository.summarizeOpen(organizationId, email);
    requireAssignable(actor, role, offeredRole ?? role);
    await this.standing.requireUnrestricted(actorId);
    if (offeredRole === null && open >= MAX_OPEN) {
      throw new TooManyInvitationsError(MAX_OPEN);
    }
    await this.memberships.refuseMember(organizationId, email);
    const token = randomToken();
    const invitation = { email, role, invitedBy: actorId, tokenHash: sha256(token), ttlMs: TTL_MS };
    const id = await this.repository.put(organizationId, invitation);
    await this.mailer.send({ invitationId: id, organizationId, inviterId: actorId, email, role, token });
    await this.audit.record({ entity: { type: 'invitation', id }, after: { organizationId, email, role } });
    return id;
  }

  private async join(userId: string, token: string): Promise<string> {
    const tokenHash = sha256(token);
    const open = await this.repository.findOpen(tokenHash);
    const stands = open && (await this.memberships.lockWith(open.organizationId, [userId, open.invitedBy]));
    const accepted = stands ? await this.repository.accept(tokenHash, userId) : null;
    if (!accepted?.inviterRole || !canAssignRole(accepted.inviterRole, accepted.role)) {
      throw new InvalidInvitationError();
    }
    const { id, organizationId, role } = accepted;
    await this.memberships.add(organizationId, userId, role);
    await this.audit.record({
      entity: { type: 'organization', id: organizationId },
      after: { userId, role, invitationId: id },
    });
    return organizationId;
  }
}
