import { IsIn, IsString, Matches } from 'class-validator';
import { ORGANIZATION_ROLES, type OrganizationRole } from '../../../contracts/resources.js';
import { IsEmailAddress } from '../../../platform/http/members/email-address.decorator.js';
import type { Page } from '../../../shared/paging.js';
import type { Invitation } from '../organizations.types.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';

/** An invitation to send. */
export class InviteDto {
  /**
   * Kept in lower case, its domain as in the DNS (`xn--…`). It need not have an account yet; the answer does not tell
   * whether it has.
   * @example grace@example.com
   */
  @IsEmailAddress()
  @OftenCalled('mail', 'user', 'identifier')
  email!: string;

  /**
   * A manager may give the roles below their own, an owner any.
   * @example OPERATOR
   */
  @IsIn(ORGANIZATION_ROLES)
  role!: OrganizationRole;
}

/** An invitation to be accepted. */
export class AcceptInvitationDto {
  /**
   * As it was mailed; valid once, for 7 days, for the account with the invited e-mail address.
   * @example q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA
   */
  @IsString()
  @Matches(/^[\w-]{43}$/, { message: 'must be one that was mailed' })
  @OftenCalled('code')
  token!: string;
}

/** An invitation, without its token. */
export class InvitationDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c77 */
  id!: string;

  /** @example grace@example.com */
  email!: string;

  /** @example OPERATOR */
  role!: OrganizationRole;

  /**
   * Who sent it.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55
   */
  invitedBy!: string;

  /**
   * RFC 3339.
   * @example 2026-11-27T18:00:00.000Z
   */
  expiresAt!: string;

  /**
   * RFC 3339.
   * @example 2026-11-20T18:00:00.000Z
   */
  createdAt!: string;
}

/** One page of open invitations, oldest first. */
export class InvitationPageDto {
  items!: InvitationDto[];

  /**
   * Pass it as `cursor` to go on; null on the last page.
   * @example WyJpbnZpdGF0aW9ucyIsIjIwMjYtMTEtMjBUMTg6MDA6MDAuMDAwWiIsIjAxOWE5ZjNlLTZiMWEtN2M0NC05ZDBlLTJmNmYzYTFiOGM1NSJd
   */
  nextCursor!: string | null;
}

export function toInvitationDto(invitation: Invitation): Readonly<InvitationDto> {
  return {
    id: invitation.id,
    email: invitation.email,
    role: invitation.role,
    invitedBy: invitation.invitedBy,
    expiresAt: invitation.expiresAt.toISOString(),
    createdAt: invitation.createdAt.toISOString(),
  };
}

export function toInvitationPageDto({ items, nextCursor }: Page<Invitation>): Readonly<InvitationPageDto> {
  return { items: items.map(toInvitationDto), nextCursor };
}
