import type { OrganizationRole } from '../../contracts/resources.js';
import { IsId } from '../../platform/http/members/id.decorator.js';
import { IsVisibleText } from '../../platform/http/visible-text.js';
import type { Page } from '../../shared/paging.js';
import type { Organization } from './organizations.types.js';
import { OftenCalled } from '../../platform/http/validation/often-called.decorator.js';

/** An organization to create. */
export class CreateOrganizationDto {
  /**
   * For display; need not be unique.
   * @example "Lovelace & Daughters"
   */
  @IsVisibleText()
  @OftenCalled('title', 'displayName')
  name!: string;
}

/** What may be changed of an organization. */
export class UpdateOrganizationDto extends CreateOrganizationDto {}

/** The new owner. */
export class TransferOrganizationDto {
  /**
   * A member of the organization.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55
   */
  @IsId()
  userId!: string;
}

/** A group of users who share devices, with the role of the user who reads it. */
export class OrganizationDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c66 */
  id!: string;

  /** @example "Lovelace & Daughters" */
  name!: string;

  /**
   * My role in it; each role includes the ones below: `OWNER`, `MANAGER`, `OPERATOR`, `VIEWER`.
   * @example OWNER
   */
  role!: OrganizationRole;

  /**
   * Grows with every change of the organization itself; also the `ETag`.
   * @example 1
   */
  version!: number;

  /**
   * RFC 3339.
   * @example 2026-11-20T18:00:00.000Z
   */
  createdAt!: string;

  /**
   * RFC 3339.
   * @example 2026-11-20T18:00:00.000Z
   */
  updatedAt!: string;
}

/** One page of organizations, oldest first. */
export class OrganizationPageDto {
  items!: OrganizationDto[];

  /**
   * Pass it as `cursor` to go on; null on the last page.
   * @example WyJvcmdhbml6YXRpb25zIiwiMjAyNi0xMS0yMFQxODowMDowMC4wMDBaIiwiMDE5YTlmM2UtNmIxYS03YzQ0LTlkMGUtMmY2ZjNhMWI4YzU1Il0
   */
  nextCursor!: string | null;
}

export function toOrganizationDto(organization: Organization): Readonly<OrganizationDto> {
  return {
    id: organization.id,
    name: organization.name,
    role: organization.role,
    version: organization.version,
    createdAt: organization.createdAt.toISOString(),
    updatedAt: organization.updatedAt.toISOString(),
  };
}

export function toOrganizationPageDto({ items, nextCursor }: Page<Organization>): Readonly<OrganizationPageDto> {
  return { items: items.map(toOrganizationDto), nextCursor };
}
