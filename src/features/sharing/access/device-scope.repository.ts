import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import type { EffectiveShare } from '../domain/device-access.js';
import { effectiveShare, SHARES_WITH_GRANTORS, TERMS_COLUMNS, type TermsRow } from '../share-rows.js';

/** A share that has not ended, and who has a say in it. */
export interface ShareInScope {
  readonly deviceId: string;
  readonly terms: EffectiveShare;
  /** Its giver, the giver of the share that it was given under, and the owner. */
  readonly accountIds: readonly string[];
}

/** By which devices come to be seen that are another's, at an instant of the database. */
export interface DeviceScope {
  readonly at: Date;
  readonly organizationIds: readonly string[];
  readonly shares: readonly ShareInScope[];
}

type ScopeRow = Partial<TermsRow> & {
  at: Date;
  organizations: string[];
  device_id: string | null;
  accounts: (string | null)[];
};

// SQL: one round trip on a hot path: every cold list
const SCOPE = `SELECT r.at, r.organizations, s.* FROM (
    SELECT clock_timestamp() AS at, ARRAY(SELECT organization_id::text FROM memberships WHERE user_id = $1) AS organizations
  ) r LEFT JOIN LATERAL (
    SELECT s.device_id, ARRAY[d.owner_id, s.granted_by, g.granted_by]::text[] AS accounts, ${TERMS_COLUMNS}
    FROM ${SHARES_WITH_GRANTORS} WHERE s.user_id = $1 AND (s.valid_until <= now()) IS NOT TRUE LIMIT $2
  ) s ON true`;

/** What the lists of a person rest on. */
@Injectable()
export class DeviceScopeRepository {
  constructor(private readonly database: Database) {}

  /** With at most `limit` shares. */
  async read(userId: string, limit: number): Promise<DeviceScope> {
    const rows = await this.database.queryHot<ScopeRow & Record<string, unknown>>('device_scope', SCOPE, [
      userId,
      limit,
    ]);
    return {
      at: rows[0]?.at ?? new Date(0),
      organizationIds: rows[0]?.organizations ?? [],
      shares: rows.flatMap((row) =>
        row.device_id === null
          ? []
          : [
              {
                deviceId: row.device_id,
                terms: effectiveShare(row as TermsRow),
                accountIds: row.accounts.filter((id) => id !== null),
              },
            ],
      ),
    };
  }
}
