import { Injectable } from '@nestjs/common';
import type { OrganizationRole } from '../../contracts/resources.js';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import { ForbiddenError } from '../../platform/auth/auth.errors.js';
import { randomToken, sha256 } from '../../platform/crypto/digest.js';
import { Idempotency } from '../../platform/idempotency/idempotency.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { isUuid } from '../../shared/ids.js';
import { CREATION_PARTS, decodeCursor, encodeCursor } from '../../shared/cursor.js';
import { type Page, toPage } from '../../shared/paging.js';
import { disposes } from './domain/roles.js';
import { InvitationMailer } from './invitation-mailer.js';
import { InvitationsRepository } from './invitations.repository.js';
import { InvitationNotFoundError, TooManyInvitationsError } from './organizations.errors.js';
import type { Invitation, PageRequest } from './organizations.types.js';
import { Roster } from './roster.js';

const TTL_MS = 7 * 24 * 60 * 60 * 1_000;
/** So that nobody sends mail to the world in our name. */
const MAX_OPEN = 100;

/** Whom to ask, and to become what. */
export interface InvitationRequest {
  readonly email: string;
  readonly role: OrganizationRole;
}

/** Invitations as an organization's managers see them. The token is only in the mail. */
@Injectable()
export class InvitationsService {
  constructor(
    private readonly roster: Roster,
    private readonly repository: InvitationsRepository,
    private readonly letters: InvitationMailer,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    private readonly idempotency: Idempotency,
  ) {}

  /** Those that can still be accepted, oldest first. @throws InvalidCursorError */
  async list(organizationId: string, { limit, cursor }: PageRequest): Promise<Page<Invitation>> {
    const rows = await this.repository.listOpen(
      organizationId,
      limit,
      decodeCursor('invitations', cursor, CREATION_PARTS),
    );
    return toPage(
      rows,
      limit,
      (invitation) => invitation,
      ({ createdAt, id }) => encodeCursor('invitations', [createdAt.toISOString(), id]),
    );
  }

  /**
   * Mails an invitation, good for 7 days. Whether the address has an account changes nothing about what happens here.
   * Another invitation to the same address takes the place of the first.
   * @throws ForbiddenError, AlreadyMemberError, TooManyInvitationsError
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

  /** Makes an open invitation worthless. @throws InvitationNotFoundError, ForbiddenError */
  revoke(organizationId: string, actorId: string, id: string): Promise<void> {
    return this.transactions.run(async () => {
      const { actor } = await this.roster.lock({ organizationId, actorId, subjectId: actorId });
      const revoked = isUuid(id) ? await this.repository.revoke(organizationId, id) : null;
      if (!revoked) {
        throw new InvitationNotFoundError(id);
      }
      demand(disposes(actor, revoked.role));
      const { email, role } = revoked;
      await this.audit.record({ entity: { type: 'invitation', id }, before: { organizationId, email, role } });
    });
  }

  private async create(organizationId: string, actorId: string, { email, role }: InvitationRequest): Promise<string> {
    const { actor } = await this.roster.lock({ organizationId, actorId, subjectId: actorId });
    const { offered, open } = await this.repository.survey(organizationId, email);
    demand(disposes(actor, role) && (offered === null || disposes(actor, offered)));
    if (offered === null && open >= MAX_OPEN) {
      throw new TooManyInvitationsError(MAX_OPEN);
    }
    await this.roster.refuseMember(organizationId, email);
    const token = randomToken();
    const invitation = { email, role, invitedBy: actorId, tokenHash: sha256(token), ttlMs: TTL_MS };
    const id = await this.repository.put(organizationId, invitation);
    await this.letters.send({ organizationId, inviterId: actorId, email, role, token });
    await this.audit.record({ entity: { type: 'invitation', id }, after: { organizationId, email, role } });
    return id;
  }
}

function demand(allowed: boolean): void {
  if (!allowed) {
    throw new ForbiddenError('organization:owner');
  }
}
