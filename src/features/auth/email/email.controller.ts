import { Body, Controller, HttpCode, HttpStatus, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { Public } from '../../../platform/auth/authorize.decorator.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { EmailChangeService } from './email-change.service.js';
import { ConfirmEmailDto } from './email.dto.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { InvalidOneTimeTokenError } from '../auth.errors.js';
import { EmailTakenError } from '../../users/users.errors.js';

@ApiTags('Registration and passwords')
@Controller('auth/email')
export class EmailController {
  constructor(private readonly emails: EmailChangeService) {}

  /** Confirm a new e-mail address with the token of the mailed link. All sessions end; sign in with the new one. */
  @Post('confirm')
  @HttpCode(HttpStatus.NO_CONTENT)
  @Public()
  @Audit('email_changed')
  @RateLimit('auth')
  @Refuses(EmailTakenError, InvalidOneTimeTokenError)
  confirmEmail(@Body() { token }: ConfirmEmailDto): Promise<void> {
    return this.emails.confirm(token);
  }
}
