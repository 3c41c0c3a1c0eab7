import type { DevicePermission } from '../../contracts/devices.js';
import { limitedBy, type ShareTerms } from './domain/device-access.js';
import type { WeeklySchedule } from './domain/weekly-schedule.js';
import type { Share } from './sharing.types.js';

/** SQL: the terms of a share `s`, and of the share `g` of the person who gave it, if it was given by one. */
export const TERMS_COLUMNS = `s.permission, s.valid_from, s.valid_until, s.schedule, s.suspended_at IS NOT NULL AS suspended,
  g.permission AS g_permission, g.valid_from AS g_from, g.valid_until AS g_until, g.suspended_at IS NOT NULL AS g_suspended`;

/** SQL: a share `s` with that of its grantor. */
export const SHARES_WITH_GRANTORS = 'device_shares s LEFT JOIN device_shares g ON g.id = s.given_under';

export interface TermsRow {
  permission: DevicePermission;
  valid_from: Date | null;
  valid_until: Date | null;
  schedule: WeeklySchedule | null;
  suspended: boolean;
  g_permission: DevicePermission | null;
  g_from: Date | null;
  g_until: Date | null;
  g_suspended: boolean;
}

export const SHARE_COLUMNS = `s.id, s.device_id, s.email, s.granted_by, s.version, s.created_at, s.updated_at, ${TERMS_COLUMNS}`;

export interface ShareRow extends TermsRow {
  id: string;
  device_id: string;
  email: string;
  granted_by: string | null;
  version: number;
  created_at: Date;
  updated_at: Date;
}

/** What a share is worth. */
export function effectiveTerms(row: TermsRow): ShareTerms {
  const terms = givenTerms(row);
  return row.g_permission === null
    ? terms
    : limitedBy(terms, {
        permission: row.g_permission,
        from: row.g_from,
        until: row.g_until,
        schedule: null,
        suspended: row.g_suspended,
      });
}

export function toShare(row: ShareRow): Share {
  return {
    ...givenTerms(row),
    id: row.id,
    deviceId: row.device_id,
    email: row.email,
    grantedBy: row.granted_by,
    effective: effectiveTerms(row),
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function givenTerms(row: TermsRow): ShareTerms {
  return {
    permission: row.permission,
    from: row.valid_from,
    until: row.valid_until,
    schedule: row.schedule,
    suspended: row.suspended,
  };
}
