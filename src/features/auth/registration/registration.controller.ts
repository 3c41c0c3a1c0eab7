import { Body, Controller, HttpCode, HttpStatus, Post, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { Public } from '../../../platform/auth/authorize.decorator.js';
import { HashesPassword } from '../../../platform/crypto/hashes-password.decorator.js';
import { AnonymousWithToken, RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import { AccountDto, toAccountDto } from '../auth.dto.js';
import { ConfirmRegistrationDto, RegisterDto } from './registration.dto.js';
import { RegistrationService } from './registration.service.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import {
  EmailQuotaExceededError,
  InvalidOneTimeTokenError,
  RegistrationClosedError,
  WrongPasswordError,
} from '../auth.errors.js';
import { EmailTakenError, UsernameTakenError, WeakPasswordError } from '../../users/users.errors.js';
import { BusyError } from '../../../platform/process/semaphore.js';

@ApiTags('Registration and passwords')
@Controller('auth/register')
export class RegistrationController {
  constructor(private readonly registration: RegistrationService) {}

  /**
   * Create an account. Where e-mail addresses are verified (`REGISTRATION=verified`), the answer is always 202 without a
   * body, and a mail says how to go on; otherwise 409 `email_taken` or `username_taken` when another account has the name.
   */
  @Post()
  @Public()
  @Audit('account_registered')
  @RateLimit('auth')
  @AnonymousWithToken()
  @HashesPassword()
  @ApiResponse({ status: 201, description: 'The account was made.', type: AccountDto })
  @ApiResponse({ status: 202, description: 'A mail was sent to the e-mail address.' })
  @Refuses(
    RegistrationClosedError,
    EmailTakenError,
    UsernameTakenError,
    WeakPasswordError,
    EmailQuotaExceededError,
    BusyError,
  )
  async register(
    @Body() account: RegisterDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AccountDto | undefined> {
    const user = await this.registration.register(account);
    void reply.status(user ? HttpStatus.CREATED : HttpStatus.ACCEPTED);
    return user ? toAccountDto(user) : undefined;
  }

  /**
   * Create the account that a mailed link stands for. It takes the password again, because a stranger may have registered
   * the e-mail address with a password of their own. Of several links the first one that is confirmed makes the account.
   */
  @Post('confirm')
  @HttpCode(HttpStatus.CREATED)
  @Public()
  @Audit('account_registered')
  @RateLimit('auth')
  @HashesPassword()
  @Refuses(EmailTakenError, InvalidOneTimeTokenError, WrongPasswordError, BusyError)
  async confirm(@Body() { token, password }: ConfirmRegistrationDto): Promise<AccountDto> {
    return toAccountDto(await this.registration.confirm(token, password));
  }
}
