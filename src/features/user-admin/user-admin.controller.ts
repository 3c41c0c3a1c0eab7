import { Body, Controller, Delete, HttpCode, HttpStatus, Param, ParseUUIDPipe, Patch, Post, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Audit } from '../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser } from '../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../platform/auth/principal.js';
import { HashesPassword } from '../../platform/crypto/hashes-password.decorator.js';
import { Vital } from '../../platform/http/admission/vital.decorator.js';
import { PROBLEM_RESPONSE, Refusal } from '../../platform/http/problem.dto.js';
import { IfMatch, TakesIfMatch } from '../../platform/http/conditional/if-match.decorator.js';
import { Idempotent } from '../../platform/idempotency/idempotency.interceptor.js';
import { RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import { NoStore } from '../auth/no-store.decorator.js';
import { PasswordResetService } from './password-reset.service.js';
import { UserAdminService } from './user-admin.service.js';
import {
  AdminResetDto,
  AdminResetPasswordDto,
  ChangePlatformRoleDto,
  CreatedAccountDto,
  NewAccountDto,
} from './user-admin.dto.js';

const NOT_FOUND = { status: 404, description: 'No such account.', ...PROBLEM_RESPONSE };
const REFUSED = {
  status: 409,
  description: 'It is in that state already, or it is the last administrator, or the last owner of an organization.',
  ...PROBLEM_RESPONSE,
};

@ApiTags('User management')
@Controller('users')
@RateLimit('admin')
export class UserAdminController {
  constructor(
    private readonly accounts: UserAdminService,
    private readonly passwords: PasswordResetService,
  ) {}

  /** Create an account. Its owner gets a mail with a link to choose a password. */
  @Post()
  @Authorize('admin')
  @Audit('user_created')
  @Idempotent()
  async create(
    @Body() account: NewAccountDto,
    @CurrentUser() admin: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CreatedAccountDto> {
    const id = await this.accounts.create(account, admin);
    void reply.header('Location', `/api/v1/users/${id}`);
    return { id };
  }

  /**
   * Make a person an administrator, or a plain user again. Their sessions end, because their tokens hold the old role. The
   * role they already have changes nothing.
   */
  @Patch(':userId/role')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('admin')
  @Audit('user_role_changed')
  @TakesIfMatch()
  @Refusal(NOT_FOUND)
  @Refusal(REFUSED)
  changeRole(
    @Param('userId', ParseUUIDPipe) userId: string,
    @Body() { role }: ChangePlatformRoleDto,
    @CurrentUser() admin: Principal,
    @IfMatch() versions?: number[],
  ): Promise<void> {
    return this.accounts.changeRole(userId, role, admin, versions);
  }

  /** Block an account: its sessions end at once, and it cannot sign in. */
  @Post(':userId/block')
  @Vital()
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('admin')
  @Audit('user_blocked')
  @Idempotent()
  @Refusal(NOT_FOUND)
  block(@Param('userId', ParseUUIDPipe) userId: string, @CurrentUser() admin: Principal): Promise<void> {
    return this.accounts.block(userId, admin);
  }

  /** Unblock an account: it can sign in again. */
  @Post(':userId/unblock')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('admin')
  @Audit('user_unblocked')
  @Idempotent()
  @Refusal(NOT_FOUND)
  unblock(@Param('userId', ParseUUIDPipe) userId: string, @CurrentUser() admin: Principal): Promise<void> {
    return this.accounts.unblock(userId, admin);
  }

  /** Delete an account: its sessions end at once. It can be restored. */
  @Delete(':userId')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('admin')
  @Audit('user_deleted')
  @Refusal(NOT_FOUND)
  @Refusal(REFUSED)
  delete(@Param('userId', ParseUUIDPipe) userId: string, @CurrentUser() admin: Principal): Promise<void> {
    return this.accounts.delete(userId, admin);
  }

  /** Restore a deleted account. */
  @Post(':userId/restore')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('admin')
  @Audit('user_restored')
  @Idempotent()
  @Refusal(NOT_FOUND)
  restore(@Param('userId', ParseUUIDPipe) userId: string, @CurrentUser() admin: Principal): Promise<void> {
    return this.accounts.restore(userId, admin);
  }

  /** Take a person's password away, and let them choose another. All their sessions end. */
  @Patch(':userId/reset-password')
  @Authorize('admin')
  @Audit('user_password_reset')
  @HashesPassword()
  @NoStore()
  @ApiResponse({ status: 404, description: 'No such person.', ...PROBLEM_RESPONSE })
  @ApiResponse({
    status: 409,
    description: 'The last administrator who can sign in: use `POST /auth/password`.',
    ...PROBLEM_RESPONSE,
  })
  async resetByAdmin(
    @Param('userId', ParseUUIDPipe) userId: string,
    @Body() { means }: AdminResetPasswordDto,
    @CurrentUser() admin: Principal,
  ): Promise<AdminResetDto> {
    return { oneTimePassword: await this.passwords.reset(userId, means, admin) };
  }
}
