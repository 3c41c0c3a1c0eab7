import type { DevicePermission } from '../../contracts/devices.js';
import type { OrganizationRole } from '../../contracts/resources.js';
import { canActSql } from '../users/account-standing.types.js';
import { permissionOfRole } from './device-permission.types.js';
import type { EffectiveShare, ShareTerms } from './domain/device-access.js';
import { readSchedule } from './domain/stored-schedule.js';
import type { Share } from './sharing.types.js';

/** SQL: the terms of a share `s`, and of the right by which it was given. */
export const TERMS_COLUMNS = `s.permission, s.valid_from, s.valid_until, s.schedule, s.suspended_at IS NOT NULL AS suspended,
  s.given_under, s.by_role, s.held, gu.id IS NOT NULL AS g_can_act, gm.role AS g_role, g.permission AS g_permission,
  g.valid_from AS g_from, g.valid_until AS g_until, g.schedule AS g_schedule, g.suspended_at IS NOT NULL AS g_suspended,
  g.by_role AS g_by_role, ggm.role AS g_giver_role`;

/**
 * SQL: joins what {@link TERMS_COLUMNS} needs to a share `s` of a device `d`: the share or the role of its giver, and the role by
 * which that share was given. There is nothing above: who gives by a role depends on no share, and the share of a giver who counts
 * is `admin`, which the database takes under no other share.
 */
export const WITH_GRANTOR = `LEFT JOIN users gu ON gu.id = s.granted_by AND ${canActSql('gu')}
  LEFT JOIN device_shares g ON g.id = s.given_under
  LEFT JOIN memberships gm ON s.by_role AND gm.organization_id = d.organization_id AND gm.user_id = s.granted_by
  LEFT JOIN users ggu ON g.by_role AND ggu.id = g.granted_by AND ${canActSql('ggu')}
  LEFT JOIN memberships ggm ON ggm.organization_id = d.organization_id AND ggm.user_id = ggu.id`;

/** SQL: a share with its device and the right by which it was given. */
export const SHARES_WITH_GRANTORS = `device_shares s JOIN devices d ON d.id = s.device_id ${WITH_GRANTOR}`;

export interface TermsRow {
  permission: DevicePermission;
  valid_from: Date | null;
  valid_until: Date | null;
  schedule: unknown;
  suspended: boolean;
  given_under: string | null;
  by_role: boolean;
  held: boolean;
  g_can_act: boolean;
  g_role: OrganizationRole | null;
  g_permission: DevicePermission | null;
  g_from: Date | null;
  g_until: Date | null;
  g_schedule: unknown;
  g_suspended: boolean;
  g_by_role: boolean | null;
  /** Of who gave that share; null as well where they cannot act. */
  g_giver_role: OrganizationRole | null;
}

export const SHARE_COLUMNS = `s.id, s.device_id, s.email, s.user_id, s.granted_by, s.version, s.created_at, s.updated_at, ${TERMS_COLUMNS}`;

export interface ShareRow extends TermsRow {
  id: string;
  device_id: string;
  email: string;
  user_id: string | null;
  granted_by: string | null;
  version: number;
  created_at: Date;
  updated_at: Date;
}

/** The right of a giver who has lost it. */
const LOST: EffectiveShare = {
  permission: 'view',
  from: null,
  until: null,
  schedule: null,
  suspended: true,
  under: null,
};

/** What a share is worth. */
export function effectiveShare(row: TermsRow): EffectiveShare {
  const dependsOnGiver = row.given_under !== null || row.by_role;
  return { ...givenTerms(row), under: dependsOnGiver ? rightOfGiver(row) : null };
}

export function toShare(row: ShareRow): Share {
  return {
    ...givenTerms(row),
    id: row.id,
    deviceId: row.device_id,
    email: row.email,
    recipientId: row.user_id,
    grantedBy: row.granted_by,
    givenUnder: row.given_under,
    held: row.held,
    effective: effectiveShare(row),
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function rightOfGiver(row: TermsRow): EffectiveShare {
  if (row.g_can_act && row.g_role !== null) {
    return rightOfRole(row.g_role);
  }
  if (!row.g_can_act || row.g_permission === null) {
    return LOST;
  }
  return {
    permission: row.g_permission,
    from: row.g_from,
    until: row.g_until,
    schedule: readSchedule(row.g_schedule),
    suspended: row.g_suspended,
    under: row.g_by_role === true ? rightOfRole(row.g_giver_role) : null,
  };
}

function rightOfRole(role: OrganizationRole | null): EffectiveShare {
  return role === null ? LOST : { ...LOST, permission: permissionOfRole(role), suspended: false };
}

function givenTerms(row: TermsRow): ShareTerms {
  return {
    permission: row.permission,
    from: row.valid_from,
    until: row.valid_until,
    schedule: readSchedule(row.schedule),
    suspended: row.suspended,
  };
}
