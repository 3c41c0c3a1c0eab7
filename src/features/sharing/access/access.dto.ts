import { IsIn } from 'class-validator';
import type { DevicePermission } from '../../../contracts/devices.js';
import { ORGANIZATION_ROLES, type OrganizationRole } from '../../../contracts/resources.js';
import { IsEmailAddress } from '../../../platform/http/members/email-address.decorator.js';
import { IsId } from '../../../platform/http/members/id.decorator.js';
import { IfGiven } from '../../../platform/http/members/if-given.js';
import { IsTimestamp } from '../../../platform/http/members/timestamp.validator.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import { ACCESS_NEEDS, type AccessNeed, permissionOfRole } from '../device-permission.types.js';
import type { ShareState } from '../domain/device-access.js';
import { ShareDto } from '../shares/share-answers.dto.js';
import type { AccessVerdict } from './access-check.service.js';
import type { DeviceHolders } from './device-access.repository.js';

/** What to ask. Without `userId` and `email` it is about me; with one of them it takes `admin` of the device. */
export class CheckAccessDto {
  /**
   * What is to be done: `view` to read, `control` to move the bolt, `admin` to change and share, `manager` for tokens, activation
   * codes and shares of `admin`, `owner` to give it away.
   * @example control
   */
  @IsIn(ACCESS_NEEDS)
  @OftenCalled('permission', 'action', 'level')
  needs!: AccessNeed;

  /**
   * The account to ask about.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c66
   */
  @IfGiven()
  @IsId()
  @OftenCalled('user', 'accountId')
  userId?: string;

  /**
   * The address to ask about, in place of `userId`.
   * @example grace@example.com
   */
  @IfGiven()
  @IsEmailAddress()
  @OftenCalled('mail')
  email?: string;

  /**
   * RFC 3339: the time to ask about; now when it is left out.
   * @example 2026-12-24T13:00:00Z
   */
  @IfGiven()
  @IsTimestamp()
  @OftenCalled('when', 'time')
  at?: string;
}

/** One thing that gives the person access, or would at another time. */
export class AccessSourceDto {
  /** @example share */
  source!: 'owner' | 'organization' | 'share';

  /** @example control */
  permission!: DevicePermission;

  /**
   * Whether it counts at that time: `open`, or why it does not.
   * @example closed
   */
  state!: ShareState;

  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c88 */
  shareId!: string | null;
}

/** What would be decided, and why. */
export class AccessVerdictDto {
  /** @example false */
  allowed!: boolean;

  /**
   * What the person may do at that time; null: they do not even see the device.
   * @example null
   */
  permission!: DevicePermission | null;

  /** @example control */
  needs!: AccessNeed;

  /**
   * In words.
   * @example "a share of `control` is closed at this time of the week: nothing is given now, and `control` is refused."
   */
  why!: string;

  sources!: AccessSourceDto[];

  /**
   * RFC 3339: when the share changes next by itself; null: never.
   * @example 2026-12-25T08:00:00.000Z
   */
  nextChangeAt!: string | null;

  /**
   * RFC 3339: the time that it is about.
   * @example 2026-12-24T13:00:00.000Z
   */
  at!: string;
}

export class DeviceOwnerDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c66 */
  id!: string;

  /** @example "Ada Lovelace" */
  displayName!: string;
}

/** How many members of the organization have a role, and what it gives. */
export class RoleAccessDto {
  /** @example OPERATOR */
  role!: OrganizationRole;

  /** @example control */
  permission!: DevicePermission;

  /** @example 3 */
  members!: number;
}

export class OrganizationAccessDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c77 */
  id!: string;

  /** @example "House by the lake" */
  name!: string;

  roles!: RoleAccessDto[];
}

/** Who can do what with a device. */
export class DeviceAccessDto {
  owner!: DeviceOwnerDto;

  /** Null: it is in none. */
  organization!: OrganizationAccessDto | null;

  /** All of them: a device has at most 100. */
  shares!: ShareDto[];
}

export function toVerdictDto(verdict: AccessVerdict, needs: AccessNeed): Readonly<AccessVerdictDto> {
  return {
    allowed: verdict.allowed,
    permission: verdict.permission,
    needs,
    why: whyOf(verdict, needs),
    sources: verdict.sources.map((source) => ({ ...source })),
    nextChangeAt: verdict.nextChangeAt?.toISOString() ?? null,
    at: verdict.at.toISOString(),
  };
}

export function toOrganizationAccessDto({ organization }: DeviceHolders): OrganizationAccessDto | null {
  return (
    organization && {
      id: organization.id,
      name: organization.name,
      roles: ORGANIZATION_ROLES.map((role) => ({
        role,
        permission: permissionOfRole(role),
        members: organization.members.find((one) => one.role === role)?.count ?? 0,
      })),
    }
  );
}

const WORDS: Record<ShareState, string> = {
  open: 'is open',
  suspended: 'is suspended',
  withheld: 'is withheld, because the share of the person who gave it is suspended or no `admin` now',
  not_yet: 'has not begun',
  over: 'is over',
  closed: 'is closed at this time of the week',
};

function whyOf({ allowed, permission, sources }: AccessVerdict, needs: AccessNeed): string {
  if (sources.length === 0) {
    return 'The person neither owns the device, nor is in its organization, nor has a share of it; or their account cannot act.';
  }
  const parts = sources.map(({ source, permission: gives, state }) =>
    source === 'share'
      ? `a share of \`${gives}\` ${WORDS[state]}`
      : `${source === 'owner' ? 'ownership' : 'the role in the organization'} gives \`${gives}\``,
  );
  const held = permission === null ? 'nothing is given now' : `\`${permission}\` is held`;
  return `${parts.join('; ')}: ${held}, and \`${needs}\` is ${allowed ? 'allowed' : 'refused'}.`;
}
