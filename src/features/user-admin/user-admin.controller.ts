import { Body, Controller, Delete, HttpCode, HttpStatus, Param, ParseUUIDPipe, Patch, Post, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Audit } from '../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser } from '../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../platform/auth/principal.js';
import { HashesPassword } from '../../platform/crypto/hashes-password.decorator.js';
import { Vital } from '../../platform/http/admission/vital.decorator.js';
import { IfMatch, TakesIfMatch } from '../../platform/http/conditional/if-match.decorator.js';
import { Idempotent } from '../../platform/idempotency/idempotency.interceptor.js';
import { RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import { SecretAnswer } from '../../platform/http/secret-answer.decorator.js';
import { PasswordResetService } from './password-reset.service.js';
import { UserAdminService } from './user-admin.service.js';
import {
  AdminResetDto,
  AdminResetPasswordDto,
  ChangePlatformRoleDto,
  CreatedAccountDto,
  NewAccountDto,
} from './user-admin.dto.js';
import { Refuses } from '../../platform/http/problems/refuses.decorator.js';
import {
  AccountChangedError,
  AccountStateError,
  EmailTakenError,
  LastAdminError,
  UserNotFoundError,
  UsernameTakenError,
} from '../users/users.errors.js';
import { BusyError } from '../../platform/process/semaphore.js';
import { LAST_OWNER } from '../../shared/common-problems.js';

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
  @Refuses(EmailTakenError, UsernameTakenError)
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
   * Make a person an administrator, a maker, or a plain user again. Their sessions end, because their tokens hold the old role.
   * The role they already have changes nothing.
   */
  @Patch(':userId/role')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('admin')
  @Audit('user_role_changed')
  @TakesIfMatch(AccountChangedError)
  @Refuses(UserNotFoundError, AccountStateError, LastAdminError)
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
  @Refuses(UserNotFoundError, AccountStateError, LastAdminError)
  block(@Param('userId', ParseUUIDPipe) userId: string, @CurrentUser() admin: Principal): Promise<void> {
    return this.accounts.block(userId, admin);
  }

  /** Unblock an account: it can sign in again. */
  @Post(':userId/unblock')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('admin')
  @Audit('user_unblocked')
  @Idempotent()
  @Refuses(UserNotFoundError, AccountStateError)
  unblock(@Param('userId', ParseUUIDPipe) userId: string, @CurrentUser() admin: Principal): Promise<void> {
    return this.accounts.unblock(userId, admin);
  }

  /** Delete an account: its sessions end at once. It can be restored. */
  @Delete(':userId')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('admin')
  @Audit('user_deleted')
  @Refuses(UserNotFoundError, AccountStateError, LastAdminError, LAST_OWNER)
  delete(@Param('userId', ParseUUIDPipe) userId: string, @CurrentUser() admin: Principal): Promise<void> {
    return this.accounts.delete(userId, admin);
  }

  /** Restore a deleted account. */
  @Post(':userId/restore')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize('admin')
  @Audit('user_restored')
  @Idempotent()
  @Refuses(UserNotFoundError, AccountStateError)
  restore(@Param('userId', ParseUUIDPipe) userId: string, @CurrentUser() admin: Principal): Promise<void> {
    return this.accounts.restore(userId, admin);
  }

  /** Take a person's password away, and let them choose another. All their sessions end. */
  @Patch(':userId/reset-password')
  @Authorize('admin')
  @Audit('user_password_reset')
  @HashesPassword()
  @SecretAnswer()
  @Refuses(UserNotFoundError, AccountStateError, LastAdminError, BusyError)
  async resetByAdmin(
    @Param('userId', ParseUUIDPipe) userId: string,
    @Body() { means }: AdminResetPasswordDto,
    @CurrentUser() admin: Principal,
  ): Promise<AdminResetDto> {
    return { oneTimePassword: await this.passwords.reset(userId, means, admin) };
  }
}
