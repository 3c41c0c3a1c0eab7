import { Body, Controller, Delete, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { Audit } from '../../platform/audit/audited-route.js';
import { Authorize, CurrentUser, Public } from '../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../platform/auth/principal.js';
import { PROBLEM_RESPONSE, Refusal } from '../../platform/http/problem.dto.js';
import { Idempotent } from '../../platform/idempotency/idempotent.interceptor.js';
import { RateLimit } from '../../platform/rate-limit/rate-limit.decorator.js';
import { AccountEmail } from './account-email.js';
import { AccountSelf } from './account-self.js';
import { ChangeEmailDto, ConfirmEmailDto, PasswordAgainDto } from './account.dto.js';

const WRONG = { status: 422, description: 'The password is wrong.', ...PROBLEM_RESPONSE };
const GUESSED = { status: 429, description: 'Too many wrong passwords.', ...PROBLEM_RESPONSE };

@ApiTags('Users')
@Controller()
export class AccountSelfController {
  constructor(
    private readonly account: AccountSelf,
    private readonly emails: AccountEmail,
  ) {}

  /** Ask for another e-mail address: a link to confirm it is mailed there. Until then, nothing changes. */
  @Post('users/me/email')
  @HttpCode(HttpStatus.ACCEPTED)
  @Authorize()
  @Audit('email_change_requested')
  @Idempotent()
  @RateLimit('mail')
  @Refusal(WRONG)
  requestEmail(@CurrentUser() user: Principal, @Body() { email, password }: ChangeEmailDto): Promise<void> {
    return this.account.requestEmail(user, email, password);
  }

  /** Confirm a new e-mail address with the token of the mailed link. */
  @Post('auth/email/confirm')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Public()
  @Audit('email_changed')
  @RateLimit('auth')
  @ApiResponse({ status: 409, description: 'Somebody took the address in the meantime.', ...PROBLEM_RESPONSE })
  @ApiResponse({ status: 422, description: 'The token is unknown, used or expired.', ...PROBLEM_RESPONSE })
  confirmEmail(@Body() { token }: ConfirmEmailDto): Promise<void> {
    return this.emails.confirm(token);
  }

  /** Delete my account: all my sessions end at once. An administrator can restore it. */
  @Delete('users/me')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Authorize()
  @Audit('account_deleted')
  @ApiResponse({
    status: 409,
    description: 'I am the last administrator, or the last owner of an organization.',
    ...PROBLEM_RESPONSE,
  })
  @Refusal(WRONG)
  @Refusal(GUESSED)
  delete(@CurrentUser() user: Principal, @Body() { password }: PasswordAgainDto): Promise<void> {
    return this.account.delete(user, password);
  }
}
