import { Body, Controller, Delete, Get, HttpCode, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { OrganizationRef } from '../../../contracts/resources.js';
import { Audit, AuditRead } from '../../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser, Target } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { PageQueryDto } from '../../../platform/http/page-query.dto.js';
import { Idempotent } from '../../../platform/idempotency/idempotency.interceptor.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import {
  AcceptInvitationDto,
  InvitationDto,
  InvitationPageDto,
  InviteDto,
  toInvitationDto,
  toInvitationPageDto,
} from './invitations.dto.js';
import { InvitationsService } from './invitations.service.js';
import { OrganizationDto, toOrganizationDto } from '../organizations.dto.js';
import { OrganizationsService } from '../organizations.service.js';
import {
  AlreadyMemberError,
  InvalidInvitationError,
  InvitationNotFoundError,
  OrganizationNotFoundError,
  TooManyInvitationsError,
  TooManyOrganizationsError,
} from '../organizations.errors.js';
import { InvalidCursorError } from '../../../shared/cursor.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { EmailQuotaExceededError } from '../../auth/auth.errors.js';
import { AccountCannotActError, UnlockRestrictedError } from '../../users/users.errors.js';

@ApiTags('Organizations')
@Controller('organizations')
export class InvitationsController {
  constructor(
    private readonly invitations: InvitationsService,
    private readonly organizations: OrganizationsService,
  ) {}

  /**
   * Invite a person by mail. The answer is the same whether the e-mail address has an account or not; another
   * invitation replaces the first. 409 `too_many_invitations` while a hundred of the organization are open.
   */
  @Post(':organizationId/invitations')
  @Authorize('organization:manager')
  @Audit('member_invited')
  @Idempotent()
  @RateLimit('mail')
  @Refuses(
    AlreadyMemberError,
    TooManyInvitationsError,
    EmailQuotaExceededError,
    UnlockRestrictedError,
    OrganizationNotFoundError,
  )
  async invite(
    @Target() { id }: OrganizationRef,
    @CurrentUser() user: Principal,
    @Body() request: InviteDto,
  ): Promise<InvitationDto> {
    return toInvitationDto(await this.invitations.invite(id, user.userId, request));
  }

  /** Invitations that can still be accepted, oldest first. Reading them is audited. */
  @Get(':organizationId/invitations')
  @Authorize('organization:manager')
  @AuditRead('invitations_read', 'organizationId')
  @Refuses(InvalidCursorError)
  async list(@Target() { id }: OrganizationRef, @Query() page: PageQueryDto): Promise<InvitationPageDto> {
    return toInvitationPageDto(await this.invitations.list(id, page));
  }

  /** Revoke an open invitation: its token is invalid at once. */
  @Delete(':organizationId/invitations/:invitationId')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('organization:manager')
  @Audit('invitation_revoked')
  @Refuses(InvitationNotFoundError)
  async revoke(
    @Target() { id }: OrganizationRef,
    @CurrentUser() user: Principal,
    @Param('invitationId') invitationId: string,
  ): Promise<void> {
    await this.invitations.revoke(id, user.userId, invitationId);
  }

  /**
   * Accept an invitation that was mailed to the e-mail address of my account. 422 `invalid_invitation` when it is used,
   * expired, revoked, or for another e-mail address, or its sender may not invite any more. 409 `already_member`, or
   * `too_many_organizations` for a member of as many as one account may be.
   */
  @Post('invitations/accept')
  @HttpCode(HttpStatus.OK)
  @Authorize()
  @Audit('member_joined')
  @Idempotent()
  @Refuses(InvalidInvitationError, AlreadyMemberError, TooManyOrganizationsError, AccountCannotActError)
  async accept(@CurrentUser() { userId }: Principal, @Body() { token }: AcceptInvitationDto): Promise<OrganizationDto> {
    return toOrganizationDto(await this.organizations.get(userId, await this.invitations.accept(userId, token)));
  }
}
