import { Body, Controller, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { Public } from '../../../platform/auth/authorize.decorator.js';
import { PROBLEM_RESPONSE } from '../../../platform/http/problem.dto.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { EmailChangeService } from './email-change.service.js';
import { ConfirmEmailDto } from './email.dto.js';

@ApiTags('Users')
@Controller('auth/email')
export class EmailController {
  constructor(private readonly emails: EmailChangeService) {}

  /** Confirm a new e-mail address with the token of the mailed link. All sessions end; sign in with the new one. */
  @Post('confirm')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Public()
  @Audit('email_changed')
  @RateLimit('auth')
  @ApiResponse({
    status: 409,
    description: 'Another account took the e-mail address in the meantime.',
    ...PROBLEM_RESPONSE,
  })
  @ApiResponse({ status: 422, description: 'The token is unknown, used or expired.', ...PROBLEM_RESPONSE })
  confirmEmail(@Body() { token }: ConfirmEmailDto): Promise<void> {
    return this.emails.confirm(token);
  }
}
