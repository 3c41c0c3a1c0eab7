import { Body, Controller, Delete, Get, HttpCode, HttpStatus, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { OrganizationRef } from '../../contracts/resources.js';
import { Audit, AuditRead } from '../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser, Target } from '../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../platform/auth/principal.js';
import { PageQueryDto } from '../../platform/http/page-query.dto.js';
import { Vital } from '../../platform/http/admission/vital.decorator.js';
import { Idempotent } from '../../platform/idempotency/idempotency.interceptor.js';
import { ChangeRoleDto, MemberDto, MemberPageDto, toMemberDto, toMemberPageDto } from './members.dto.js';
import { MembershipsService } from './memberships.service.js';
import { TransferOrganizationDto } from './organizations.dto.js';
import { Refuses } from '../../platform/http/problems/refuses.decorator.js';
import {
  LastOwnerError,
  MemberCannotActError,
  MemberNotFoundError,
  OrganizationNotFoundError,
  TransferToSelfError,
} from './organizations.errors.js';
import { AccountCannotActError, UnlockRestrictedError } from '../users/users.errors.js';
import { InvalidCursorError } from '../../shared/cursor.js';

@ApiTags('Organizations')
@Controller('organizations/:organizationId')
export class MembersController {
  constructor(private readonly members: MembershipsService) {}

  /** The members of an organization, in the order in which they joined. Reading them is audited. */
  @Get('members')
  @Authorize('organization:viewer')
  @AuditRead('members_read', 'organizationId')
  @Refuses(InvalidCursorError)
  async list(@Target() { id }: OrganizationRef, @Query() page: PageQueryDto): Promise<MemberPageDto> {
    return toMemberPageDto(await this.members.list(id, page));
  }

  /**
   * Give a member another role. A manager moves people between the roles below their own, an owner between all. The
   * last owner who can act stays one (409 `last_owner`), and a blocked member becomes none (409 `member_cannot_act`).
   */
  @Patch('members/:userId')
  @Authorize('organization:manager')
  @Audit('member_role_changed', 'organizationId')
  @Refuses(
    MemberNotFoundError,
    OrganizationNotFoundError,
    LastOwnerError,
    MemberCannotActError,
    UnlockRestrictedError,
    AccountCannotActError,
  )
  async changeRole(
    @Target() { id }: OrganizationRef,
    @CurrentUser() user: Principal,
    @Param('userId') memberId: string,
    @Body() { role }: ChangeRoleDto,
  ): Promise<MemberDto> {
    const change = { organizationId: id, actorId: user.userId, memberId };
    return toMemberDto(await this.members.changeRole(change, role));
  }

  /** Take a member out, with the devices they own. The last owner stays (409 `last_owner`). */
  @Delete('members/:userId')
  @Vital()
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('organization:manager')
  @Audit('member_removed', 'organizationId')
  @Refuses(MemberNotFoundError, OrganizationNotFoundError, LastOwnerError)
  async remove(
    @Target() { id }: OrganizationRef,
    @CurrentUser() user: Principal,
    @Param('userId') memberId: string,
  ): Promise<void> {
    await this.members.remove({ organizationId: id, actorId: user.userId, memberId });
  }

  /** Leave an organization, with the devices I own. The last owner cannot (409 `last_owner`). */
  @Post('leave')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('organization:viewer')
  @Audit('member_left')
  @Idempotent()
  @Refuses(MemberNotFoundError, OrganizationNotFoundError, LastOwnerError)
  async leave(@Target() { id }: OrganizationRef, @CurrentUser() user: Principal): Promise<void> {
    await this.members.leave(id, user.userId);
  }

  /**
   * Hand an organization over to another member, and be a manager from then on. 409 `member_cannot_act` while the account
   * of that member is blocked.
   */
  @Post('transfer')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('organization:owner')
  @Audit('organization_transferred')
  @Idempotent()
  @Refuses(
    MemberNotFoundError,
    OrganizationNotFoundError,
    MemberCannotActError,
    TransferToSelfError,
    UnlockRestrictedError,
    AccountCannotActError,
  )
  async transfer(
    @Target() { id }: OrganizationRef,
    @CurrentUser() user: Principal,
    @Body() { userId }: TransferOrganizationDto,
  ): Promise<void> {
    await this.members.transfer({ organizationId: id, actorId: user.userId, memberId: userId });
  }
}
