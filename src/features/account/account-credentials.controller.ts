import { Body, Controller, Delete, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audit } from '../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser } from '../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../platform/auth/principal.js';
import { HashesPassword } from '../../platform/crypto/hashes-password.decorator.js';
import { Idempotent } from '../../platform/idempotency/idempotency.interceptor.js';
import { RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import { EmailChangeService } from '../auth/email/email-change.service.js';
import { ChangeEmailDto, PasswordAgainDto } from './account-credentials.dto.js';
import { WithKnownDeviceCookie } from '../auth/login/known-device-cookie.interceptor.js';
import { AccountService } from './account.service.js';
import { WithSessionCookie } from '../auth/sessions/session-cookie.interceptor.js';
import { Refuses } from '../../platform/http/problems/refuses.decorator.js';
import { EmailQuotaExceededError, LoginThrottledError, WrongPasswordError } from '../auth/auth.errors.js';
import { LastAdminError } from '../users/users.errors.js';
import { BusyError } from '../../platform/process/semaphore.js';
import { LAST_OWNER } from '../../shared/common-problems.js';

@ApiTags('My account')
@Controller('users/me')
export class AccountCredentialsController {
  constructor(
    private readonly account: AccountService,
    private readonly emails: EmailChangeService,
  ) {}

  /**
   * Ask for another e-mail address: a link to confirm it is mailed there, and the old one gets a notice. Until it is
   * confirmed, nothing changes. Cancelled by a change of the password, by `DELETE /auth/sessions/{sessionId}`, `logout-all`
   * or `logout-others`, and by `token_reused` in a session of mine. A mere logout cancels nothing: the link can still be
   * opened, in any browser.
   */
  @Post('email')
  @HttpCode(HttpStatus.ACCEPTED)
  @Authorize()
  @Audit('email_change_requested')
  @Idempotent()
  @RateLimit('mail', 'reauthentication')
  @HashesPassword()
  @Refuses(WrongPasswordError, LoginThrottledError, EmailQuotaExceededError, BusyError)
  requestEmail(@CurrentUser() user: Principal, @Body() { email, password }: ChangeEmailDto): Promise<void> {
    return this.emails.request(user, email, password);
  }

  /** Delete my account: all my sessions end at once. An administrator can restore it. */
  @Delete()
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize()
  @Audit('account_deleted')
  @RateLimit('reauthentication')
  @HashesPassword()
  @WithSessionCookie()
  @WithKnownDeviceCookie({ forgets: true })
  @Refuses(LastAdminError, LAST_OWNER, WrongPasswordError, LoginThrottledError, BusyError)
  delete(@CurrentUser() user: Principal, @Body() { password }: PasswordAgainDto): Promise<void> {
    return this.account.delete(user, password);
  }
}
