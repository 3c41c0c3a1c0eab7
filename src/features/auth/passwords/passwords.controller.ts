import { Body, Controller, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser, Public } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { HashesPassword } from '../../../platform/crypto/hashes-password.decorator.js';
import { PROBLEM_RESPONSE, Refusal } from '../../../platform/http/problem.dto.js';
import { AnonymousWithToken, RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { WithKnownDeviceCookie } from '../login/known-device-cookie.interceptor.js';
import { NoStore } from '../no-store.decorator.js';
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

const UNUSABLE = {
  status: 422,
  description: 'The token is not valid, or the new password is too weak, or the same as before.',
  ...PROBLEM_RESPONSE,
};

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
  @NoStore()
  @WithKnownDeviceCookie()
  @ApiResponse({
    status: 422,
    description: 'The current password is wrong, or the new one too weak, or the same.',
    ...PROBLEM_RESPONSE,
  })
  @ApiResponse({ status: 429, description: 'Too many wrong passwords.', ...PROBLEM_RESPONSE })
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
  forgot(@Body() { identifier }: ForgotPasswordDto): Promise<void> {
    return this.recovery.forgot(identifier);
  }

  /** Choose a password by the link of a mail. All sessions end. */
  @Post('reset-password')
  @HttpCode(HttpStatus.OK)
  @Public()
  @Audit('password_reset')
  @RateLimit('auth')
  @HashesPassword()
  @NoStore()
  @WithKnownDeviceCookie()
  @Refusal(UNUSABLE)
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
  @Refusal({ status: 422, description: 'The token is unknown, used or expired.', ...PROBLEM_RESPONSE })
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
  @NoStore()
  @WithKnownDeviceCookie()
  @Refusal(UNUSABLE)
  async complete(@Body() { changeToken, newPassword }: CompletePasswordChangeDto): Promise<PasswordChangedDto> {
    return { knownDevice: await this.passwords.complete(changeToken, newPassword) };
  }
}
