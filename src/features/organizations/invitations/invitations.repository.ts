import { Injectable } from '@nestjs/common';
import type { OrganizationRole } from '../../../contracts/resources.js';
import { Database } from '../../../platform/prisma/database.js';
import type { CreationPosition } from '../../../shared/cursor.js';
import { newId } from '../../../shared/ids.js';
import type { Invitation } from '../organizations.types.js';

/** An invitation that was accepted, and the role that its sender has now; null when the sender is not a member. */
export interface AcceptedInvitation {
  readonly id: string;
  readonly organizationId: string;
  readonly role: OrganizationRole;
  readonly inviterRole: OrganizationRole | null;
}

const COLUMNS =
  'i.id, i.email, i.role, i.invited_by AS "invitedBy", i.expires_at AS "expiresAt", i.created_at AS "createdAt"';
const OPEN = 'i.accepted_at IS NULL AND i.expires_at > now()';

// SQL: database time
const PUT = `INSERT INTO invitations (id, organization_id, email, role, invited_by, token_hash, expires_at)
  VALUES ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 millisecond')
  ON CONFLICT (organization_id, email) DO UPDATE SET id = excluded.id, role = excluded.role,
    invited_by = excluded.invited_by, token_hash = excluded.token_hash, expires_at = excluded.expires_at,
    accepted_at = NULL, created_at = now()
  RETURNING id`;

// SQL: database time
const SUMMARIZE_OPEN = `
  SELECT (array_agg(i.role) FILTER (WHERE i.email = $2))[1] AS "offeredRole", count(*)::int AS open
  FROM invitations i WHERE i.organization_id = $1 AND ${OPEN}`;

// SQL: a keyset
const LIST_OPEN = `SELECT ${COLUMNS} FROM invitations i WHERE i.organization_id = $1 AND ${OPEN}
    AND ($3::timestamptz IS NULL OR (i.created_at, i.id) > ($3, $4::uuid))
  ORDER BY i.created_at, i.id LIMIT $2`;

// SQL: database time
const REVOKE = `DELETE FROM invitations i WHERE i.organization_id = $1 AND i.id = $2 AND ${OPEN} RETURNING ${COLUMNS}`;

// SQL: a set-based batch
const REVOKE_SENT_BY = `DELETE FROM invitations i
  WHERE i.invited_by = ANY ($1::uuid[]) AND ($2::uuid IS NULL OR i.organization_id = $2)
    AND NOT i.role = ANY ($3::organization_role[]) AND ${OPEN}
  RETURNING i.organization_id AS "organizationId", ${COLUMNS}`;

// SQL: database time
const FIND_OPEN = `SELECT i.organization_id AS "organizationId", i.invited_by AS "invitedBy"
  FROM invitations i WHERE i.token_hash = $1 AND ${OPEN}`;

// SQL: database time
const ACCEPT = `UPDATE invitations i SET accepted_at = now()
  FROM users u
  WHERE i.token_hash = $1 AND ${OPEN} AND u.id = $2 AND u.email = i.email
  RETURNING i.id, i.organization_id AS "organizationId", i.role,
    (SELECT m.role FROM memberships m
     WHERE m.organization_id = i.organization_id AND m.user_id = i.invited_by) AS "inviterRole"`;

// SQL: a set-based batch
const REVOKE_ALL_OPEN = `WITH revoked AS (DELETE FROM invitations i WHERE ${OPEN} RETURNING 1)
  SELECT count(*)::int AS revoked FROM revoked`;

// SQL: a set-based batch
const PURGE = `DELETE FROM invitations WHERE id IN (
    SELECT id FROM invitations WHERE expires_at < now() - $2 * interval '1 millisecond'
    ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
  ) RETURNING id`;

/** An invitation is open until it is accepted, revoked or expired. All times are the database's. */
@Injectable()
export class InvitationsRepository {
  constructor(private readonly database: Database) {}

  /** Replaces an earlier invitation of the same e-mail address, whose token becomes invalid. @returns the id */
  async put(
    organizationId: string,
    invitation: Pick<Invitation, 'email' | 'role' | 'invitedBy'> & {
      readonly tokenHash: Buffer;
      readonly ttlMs: number;
    },
  ): Promise<string> {
    const { email, role, invitedBy, tokenHash, ttlMs } = invitation;
    const values = [newId(), organizationId, email, role, invitedBy, tokenHash, ttlMs];
    const [row] = await this.database.query<{ id: string }>('invitations_put', PUT, values);
    if (!row) {
      throw new Error('PostgreSQL returned no invitation.');
    }
    return row.id;
  }

  /** The role that is offered to this e-mail address, and how many invitations of the organization are open. */
  async summarizeOpen(
    organizationId: string,
    email: string,
  ): Promise<{ offeredRole: OrganizationRole | null; open: number }> {
    const [row] = await this.database.query<{ offeredRole: OrganizationRole | null; open: number }>(
      'invitations_summarize_open',
      SUMMARIZE_OPEN,
      [organizationId, email],
    );
    return row ?? { offeredRole: null, open: 0 };
  }

  find(organizationId: string, id: string): Promise<Invitation | null> {
    return this.database.prisma((prisma) =>
      prisma.invitation.findFirst({
        where: { organizationId, id },
        select: { id: true, email: true, role: true, invitedBy: true, expiresAt: true, createdAt: true },
      }),
    );
  }

  /** Open invitations, oldest first; one more than `limit`, if there are more. */
  listOpen(organizationId: string, limit: number, after: CreationPosition | null): Promise<Invitation[]> {
    return this.database.query('invitations_open', LIST_OPEN, [organizationId, limit + 1, ...(after ?? [null, null])]);
  }

  /** @returns null when there is no such open invitation. */
  async revoke(organizationId: string, id: string): Promise<Invitation | null> {
    const [revoked] = await this.database.query<Invitation>('invitations_revoke', REVOKE, [organizationId, id]);
    return revoked ?? null;
  }

  /**
   * Deletes the open invitations that these users sent, of one organization or of all, but for those to `kept` roles.
   * @returns what was deleted
   */
  revokeSentBy(
    userIds: readonly string[],
    organizationId: string | null,
    kept: readonly OrganizationRole[],
  ): Promise<(Invitation & { readonly organizationId: string })[]> {
    return this.database.query('invitations_revoke_sent_by', REVOKE_SENT_BY, [userIds, organizationId, kept]);
  }

  /** Whose invitation a token is, and to what; null when no open one has it. Takes no lock. */
  async findOpen(tokenHash: Buffer): Promise<{ organizationId: string; invitedBy: string } | null> {
    const [row] = await this.database.query<{ organizationId: string; invitedBy: string }>(
      'invitations_find_open',
      FIND_OPEN,
      [tokenHash],
    );
    return row ?? null;
  }

  /**
   * Consumes a token for the account with the invited e-mail address. One conditional statement, so that a token is
   * accepted once. Call it with the organization and the account of the inviter locked, so that their right stands.
   */
  async accept(tokenHash: Buffer, userId: string): Promise<AcceptedInvitation | null> {
    const [row] = await this.database.query<AcceptedInvitation>('invitations_accept', ACCEPT, [tokenHash, userId]);
    return row ?? null;
  }

  /** Revokes the open invitations of every organization. @returns how many */
  async revokeAllOpen(): Promise<number> {
    const [row] = await this.database.query<{ revoked: number }>('invitations_revoke_all', REVOKE_ALL_OPEN);
    return row?.revoked ?? 0;
  }

  /** Deletes expired invitations, accepted or not. @returns how many, at most `limit`. */
  async purge(limit: number, keptMs: number): Promise<number> {
    return (await this.database.query('invitations_purge', PURGE, [limit, keptMs])).length;
  }
}
