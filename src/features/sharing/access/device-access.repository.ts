import { Injectable } from '@nestjs/common';
import type { OrganizationRole } from '../../../contracts/resources.js';
import { arrayParam } from '../../../platform/prisma/array-param.js';
import { Database } from '../../../platform/prisma/database.js';
import { canActSql } from '../../users/account-standing.types.js';
import type { DeviceTies, EffectiveShare } from '../domain/device-access.js';
import { effectiveShare, SHARES_WITH_GRANTORS, TERMS_COLUMNS, type TermsRow, WITH_GRANTOR } from '../share-rows.js';

/** The owner of a device, and the ties of a user to it, at the instant at which they were read. */
export interface OwnedTies {
  readonly ownerId: string;
  /** Which organization has the device. */
  readonly organizationId: string | null;
  readonly ties: DeviceTies;
  /** What happened before is of an earlier owner; null: there was none. */
  readonly visibleFrom: Date | null;
  /** The share among them. */
  readonly shareId: string | null;
  readonly at: Date;
}

/** A device that is shared with a user. */
export interface SharedDevice {
  readonly deviceId: string;
  readonly terms: EffectiveShare;
}

/** Who has a device, besides those whom it is shared with. */
export interface DeviceHolders {
  readonly owner: { readonly id: string; readonly displayName: string };
  readonly organization: {
    readonly id: string;
    readonly name: string;
    readonly members: readonly { readonly role: OrganizationRole; readonly count: number }[];
  } | null;
}

/** A question about more would hold up the short reads that share the hot connections. */
const MAX_HOT_PAIRS = 300;

/** More than a person can look at; what is beyond is reached by its id. */
const MAX_SHARED = 1_000;

type TiesRow = TermsRow &
  Record<string, unknown> & {
    owner_id: string | null;
    organization_id: string | null;
    role: OrganizationRole | null;
    share_id: string | null;
    visible_from: Date | null;
    at: Date;
  };

// SQL: a set-based batch
const TIES = `SELECT d.owner_id, d.organization_id, m.role, s.id AS share_id,
    CASE WHEN d.provisioned OR d.owned_since > d.created_at THEN d.owned_since END AS visible_from, ${TERMS_COLUMNS}, clock_timestamp() AS at
  FROM unnest(${arrayParam(1, 'uuid')}, ${arrayParam(2, 'uuid')}) WITH ORDINALITY AS a(device_id, user_id, place)
  LEFT JOIN users u ON u.id = a.user_id AND ${canActSql('u')}
  LEFT JOIN devices d ON d.id = a.device_id AND u.id IS NOT NULL
  LEFT JOIN memberships m ON m.organization_id = d.organization_id AND m.user_id = a.user_id
  LEFT JOIN device_shares s ON s.device_id = d.id AND s.user_id = a.user_id
  ${WITH_GRANTOR}
  ORDER BY a.place`;

/** What ties users to devices. */
@Injectable()
export class DeviceAccessRepository {
  constructor(private readonly database: Database) {}

  /** In the order of the pairs; null where there is no such device, or the account cannot act. */
  async listTies(pairs: readonly { deviceId: string; userId: string }[]): Promise<(OwnedTies | null)[]> {
    const values = [pairs.map(({ deviceId }) => deviceId), pairs.map(({ userId }) => userId)];
    const rows = await (pairs.length > MAX_HOT_PAIRS
      ? this.database.query<TiesRow>('device_access_ties', TIES, values)
      : this.database.queryHot<TiesRow>('device_access_ties', TIES, values));
    return rows.map((row, index) => {
      const ownerId = row.owner_id;
      return ownerId === null
        ? null
        : {
            ownerId,
            organizationId: row.organization_id,
            at: row.at,
            visibleFrom: row.visible_from,
            shareId: row.share_id,
            ties: {
              owner: ownerId === pairs[index]?.userId,
              organizationRole: row.role,
              share: row.share_id !== null ? effectiveShare(row) : null,
            },
          };
    });
  }

  /** What is shared with a user, and the time of the database; oldest first. */
  async listShared(userId: string): Promise<{ at: Date; shared: SharedDevice[] }> {
    // SQL: database time
    const rows = await this.database.queryHot<TermsRow & Record<string, unknown> & { device_id: string; at: Date }>(
      'device_access_shared',
      `SELECT s.device_id, ${TERMS_COLUMNS}, clock_timestamp() AS at FROM ${SHARES_WITH_GRANTORS}
       WHERE s.user_id = $1 AND s.suspended_at IS NULL AND (s.valid_until > now()) IS NOT FALSE
         AND (s.valid_from > now()) IS NOT TRUE
       ORDER BY s.created_at, s.id LIMIT ${String(MAX_SHARED)}`,
      [userId],
    );
    return {
      at: rows[0]?.at ?? new Date(0),
      shared: rows.map((row) => ({ deviceId: row.device_id, terms: effectiveShare(row) })),
    };
  }

  /** What a mail calls a device and a person. */
  async findNames(deviceId: string, userId: string): Promise<{ deviceName: string; grantorName: string }> {
    const [device, user] = await Promise.all([
      this.database.prisma((prisma) => prisma.device.findUnique({ where: { id: deviceId }, select: { name: true } })),
      this.database.prisma((prisma) =>
        prisma.user.findUnique({ where: { id: userId }, select: { displayName: true } }),
      ),
    ]);
    return { deviceName: device?.name ?? '', grantorName: user?.displayName ?? '' };
  }

  /** Who has a device besides those whom it is shared with: its owner, and its organization by roles. */
  async findHolders(deviceId: string): Promise<DeviceHolders | null> {
    const device = await this.database.prisma((prisma) =>
      prisma.device.findUnique({
        where: { id: deviceId },
        select: {
          owner: { select: { id: true, displayName: true } },
          organization: { select: { id: true, name: true } },
        },
      }),
    );
    if (!device) {
      return null;
    }
    const { owner, organization } = device;
    const members = organization
      ? await this.database.prisma((prisma) =>
          prisma.membership.groupBy({ by: ['role'], where: { organizationId: organization.id }, _count: true }),
        )
      : [];
    return {
      owner,
      organization: organization && {
        ...organization,
        members: members.map(({ role, _count }) => ({ role, count: _count })),
      },
    };
  }
}
