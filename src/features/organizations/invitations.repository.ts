import { Injectable } from '@nestjs/common';
import type { OrganizationRole } from '../../contracts/resources.js';
import { Database } from '../../platform/prisma/database.js';
import type { CreationPosition } from '../../shared/cursor.js';
import { newId } from '../../shared/ids.js';
import type { Invitation } from './organizations.types.js';

const COLUMNS = 'i.id, i.email, i.role, i.invited_by, i.expires_at, i.created_at';
const OPEN = 'i.accepted_at IS NULL AND i.expires_at > now()';

interface InvitationRow {
  id: string;
  email: string;
  role: OrganizationRole;
  invited_by: string;
  expires_at: Date;
  created_at: Date;
}

/** What was accepted, and what the person who offered it is by now. */
export interface Accepted {
  readonly id: string;
  readonly organizationId: string;
  readonly role: OrganizationRole;
  readonly inviterRole: OrganizationRole | null;
}

/** Whose turn it is to answer. Times are the database's. */
@Injectable()
export class InvitationsRepository {
  constructor(private readonly database: Database) {}

  /** Asks an address; a new invitation takes the place of an earlier one, whose token is void. */
  async put(
    organizationId: string,
    invitation: Pick<Invitation, 'email' | 'role' | 'invitedBy'> & {
      readonly tokenHash: Buffer;
      readonly ttlMs: number;
    },
  ): Promise<string> {
    const [row] = await this.database.query<{ id: string }>(
      'invitations_put',
      `INSERT INTO invitations (id, organization_id, email, role, invited_by, token_hash, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 millisecond')
       ON CONFLICT (organization_id, email) DO UPDATE SET id = excluded.id, role = excluded.role,
         invited_by = excluded.invited_by, token_hash = excluded.token_hash, expires_at = excluded.expires_at,
         accepted_at = NULL, created_at = now()
       RETURNING id`,
      [
        newId(),
        organizationId,
        invitation.email,
        invitation.role,
        invitation.invitedBy,
        invitation.tokenHash,
        invitation.ttlMs,
      ],
    );
    if (!row) {
      throw new Error('PostgreSQL answered no invitation.');
    }
    return row.id;
  }

  /** The role that this address is being offered, and how many invitations are open altogether. */
  async survey(organizationId: string, email: string): Promise<{ offered: OrganizationRole | null; open: number }> {
    const [row] = await this.database.query<{ offered: OrganizationRole | null; open: number }>(
      'invitations_survey',
      `SELECT (array_agg(i.role) FILTER (WHERE i.email = $2))[1] AS offered, count(*)::int AS open
       FROM invitations i WHERE i.organization_id = $1 AND ${OPEN}`,
      [organizationId, email],
    );
    return row ?? { offered: null, open: 0 };
  }

  async find(organizationId: string, id: string): Promise<Invitation | null> {
    const [row] = await this.database.query<InvitationRow>(
      'invitations_find',
      `SELECT ${COLUMNS} FROM invitations i WHERE i.organization_id = $1 AND i.id = $2`,
      [organizationId, id],
    );
    return row ? toInvitation(row) : null;
  }

  /** Those that can still be accepted, oldest first; one more than `limit`, if there are more. */
  async listOpen(organizationId: string, limit: number, after: CreationPosition | null): Promise<Invitation[]> {
    const rows = await this.database.query<InvitationRow>(
      'invitations_open',
      `SELECT ${COLUMNS} FROM invitations i WHERE i.organization_id = $1 AND ${OPEN}
         AND ($3::timestamptz IS NULL OR (i.created_at, i.id) > ($3, $4::uuid))
       ORDER BY i.created_at, i.id LIMIT $2`,
      [organizationId, limit + 1, ...(after ?? [null, null])],
    );
    return rows.map(toInvitation);
  }

  /** @returns null when there is no such open invitation. */
  async revoke(organizationId: string, id: string): Promise<Invitation | null> {
    const [row] = await this.database.query<InvitationRow>(
      'invitations_revoke',
      `DELETE FROM invitations i WHERE i.organization_id = $1 AND i.id = $2 AND ${OPEN} RETURNING ${COLUMNS}`,
      [organizationId, id],
    );
    return row ? toInvitation(row) : null;
  }

  /**
   * Holds the organization that an open invitation leads to until the transaction ends: what people are in it, and
   * that it is there, stays so.
   * @returns false when the token leads nowhere (any more).
   */
  async lockOrganization(tokenHash: Buffer): Promise<boolean> {
    const rows = await this.database.query(
      'invitations_lock_organization',
      `SELECT 1 FROM organizations WHERE id = (
         SELECT i.organization_id FROM invitations i WHERE i.token_hash = $1 AND ${OPEN}
       ) FOR NO KEY UPDATE`,
      [tokenHash],
    );
    return rows.length === 1;
  }

  /**
   * Uses a token up, for the account that has the address it was mailed to. One statement: two cannot both win. Call it with
   * the organization locked: what the inviter is then stays so.
   */
  async accept(tokenHash: Buffer, userId: string): Promise<Accepted | null> {
    const [row] = await this.database.query<{
      id: string;
      organization_id: string;
      role: OrganizationRole;
      inviter_role: OrganizationRole | null;
    }>(
      'invitations_accept',
      `UPDATE invitations i SET accepted_at = now()
       FROM users u
       WHERE i.token_hash = $1 AND ${OPEN} AND u.id = $2 AND u.email = i.email
       RETURNING i.id, i.organization_id, i.role,
         (SELECT m.role FROM memberships m JOIN users inviter ON inviter.id = m.user_id AND inviter.deleted_at IS NULL
          WHERE m.organization_id = i.organization_id AND m.user_id = i.invited_by) AS inviter_role`,
      [tokenHash, userId],
    );
    return row
      ? { id: row.id, organizationId: row.organization_id, role: row.role, inviterRole: row.inviter_role }
      : null;
  }

  /** Forgets those that are past their time, answered or not. @returns how many of at most `limit`. */
  async purge(limit: number): Promise<number> {
    const rows = await this.database.query(
      'invitations_purge',
      `DELETE FROM invitations WHERE id IN (
         SELECT id FROM invitations WHERE expires_at < now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
       ) RETURNING id`,
      [limit],
    );
    return rows.length;
  }
}

function toInvitation(row: InvitationRow): Invitation {
  return {
    id: row.id,
    email: row.email,
    role: row.role,
    invitedBy: row.invited_by,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
  };
}
