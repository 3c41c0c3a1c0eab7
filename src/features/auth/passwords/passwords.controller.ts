import { Body, Controller, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser, Public } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { HashesPassword } from '../../../platform/crypto/hashes-password.decorator.js';
import { AnonymousWithToken, RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { WithKnownDeviceCookie } from '../login/known-device-cookie.interceptor.js';
import { SecretAnswer } from '../../../platform/http/secret-answer.decorator.js';
import { PasswordRecoveryService } from './password-recovery.service.js';
import {
  ChangePasswordDto,
  CompletePasswordChangeDto,
  ConfirmUnlockDto,
  ForgotPasswordDto,
  PasswordChangedDto,
  ResetPasswordDto,
} from './passwords.dto.js';
import { PasswordsService } from './passwords.service.js';
import { UnlockRestrictionService } from './unlock-restriction.service.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import {
  EmailQuotaExceededError,
  InvalidOneTimeTokenError,
  LoginThrottledError,
  PasswordUnchangedError,
  WrongPasswordError,
} from '../auth.errors.js';
import { WeakPasswordError } from '../../users/users.errors.js';
import { BusyError } from '../../../platform/process/semaphore.js';

@ApiTags('Registration and passwords')
@Controller('auth')
export class PasswordsController {
  constructor(
    private readonly passwords: PasswordsService,
    private readonly recovery: PasswordRecoveryService,
    private readonly restrictions: UnlockRestrictionService,
  ) {}

  /** Choose another password. My other sessions end. */
  @Post('password')
  @HttpCode(HttpStatus.OK)
  @Authorize()
  @Audit('password_changed')
  @RateLimit('reauthentication')
  @HashesPassword()
  @SecretAnswer()
  @WithKnownDeviceCookie()
  @Refuses(
    new WrongPasswordError('currentPassword'),
    new WeakPasswordError('newPassword is one of the most common passwords', '/newPassword'),
    PasswordUnchangedError,
    LoginThrottledError,
    BusyError,
  )
  async change(@CurrentUser() user: Principal, @Body() body: ChangePasswordDto): Promise<PasswordChangedDto> {
    return { knownDevice: await this.passwords.change(user, body.currentPassword, body.newPassword) };
  }

  /** Ask for a link by mail that resets the password. The answer is the same whether there is such an account. */
  @Post('forgot-password')
  @HttpCode(HttpStatus.ACCEPTED)
  @Public()
  @Audit('password_reset_requested')
  @RateLimit('auth')
  @AnonymousWithToken()
  @WithKnownDeviceCookie({ takes: true })
  @Refuses(EmailQuotaExceededError)
  forgot(@Body() { identifier, knownDevice }: ForgotPasswordDto): Promise<void> {
    return this.recovery.forgot(identifier, knownDevice);
  }

  /** Choose a password by the link of a mail. All sessions end. */
  @Post('reset-password')
  @HttpCode(HttpStatus.OK)
  @Public()
  @Audit('password_reset')
  @RateLimit('auth')
  @HashesPassword()
  @SecretAnswer()
  @WithKnownDeviceCookie()
  @Refuses(
    InvalidOneTimeTokenError,
    new WeakPasswordError('newPassword is one of the most common passwords', '/newPassword'),
    PasswordUnchangedError,
    BusyError,
  )
  async reset(@Body() { token, newPassword }: ResetPasswordDto): Promise<PasswordChangedDto> {
    return { knownDevice: await this.passwords.reset(token, newPassword) };
  }

  /**
   * Confirm, by the link of a mail, that it was me who chose a password after an administrator's reset: my account may
   * unlock doors again at once, not only a day later.
   */
  @Post('unlock/confirm')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Public()
  @Audit('unlock_confirmed')
  @RateLimit('auth')
  @Refuses(InvalidOneTimeTokenError)
  confirmUnlock(@Body() { token }: ConfirmUnlockDto): Promise<void> {
    return this.restrictions.confirm(token);
  }

  /** Choose a password after a login that was answered 403 `password_change_required`. All sessions end. */
  @Post('complete-password-change')
  @HttpCode(HttpStatus.OK)
  @Public()
  @Audit('password_changed')
  @RateLimit('auth')
  @HashesPassword()
  @SecretAnswer()
  @WithKnownDeviceCookie()
  @Refuses(
    InvalidOneTimeTokenError,
    new WeakPasswordError('newPassword is one of the most common passwords', '/newPassword'),
    PasswordUnchangedError,
    BusyError,
  )
  async complete(@Body() { changeToken, newPassword }: CompletePasswordChangeDto): Promise<PasswordChangedDto> {
    return { knownDevice: await this.passwords.complete(changeToken, newPassword) };
  }
}
