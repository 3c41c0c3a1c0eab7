import { Body, Controller, Delete, Get, HttpCode, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audit } from '../../../platform/audit/audit.decorator.js';
import { Authorize, CurrentUser } from '../../../platform/auth/authorize.decorator.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { Refuses } from '../../../platform/http/problems/refuses.decorator.js';
import { RateLimit } from '../../../platform/rate-limit/rate-limit.decorator.js';
import {
  InvalidPhoneCodeError,
  NoTextMessagesError,
  PhoneCodeNotSentError,
  PhoneCodeQuotaError,
  PhoneNumberRefusedError,
} from '../notifications.errors.js';
import { ChangePhoneDto, ConfirmPhoneDto, PhoneDto, toPhoneDto } from './phone.dto.js';
import { PhoneService } from './phone.service.js';

@ApiTags('Notifications')
@Controller('notifications/phone')
export class PhoneController {
  constructor(private readonly phones: PhoneService) {}

  /** The number that text messages for me go to, and the one that waits for its code; null where there is none. */
  @Get()
  @Authorize()
  async get(@CurrentUser() { userId }: Principal): Promise<PhoneDto> {
    return toPhoneDto(await this.phones.get(userId));
  }

  /**
   * Name the number that text messages for me go to: a code of six digits is sent there, good for ten minutes and five tries. Until
   * it is confirmed, the number before it stays in use. The same number is sent another code after a minute, and none where it is in
   * use. A person has three codes sent in an hour, and six in a day.
   */
  @Put()
  @Authorize()
  @Audit('phone_named')
  @RateLimit('phone')
  @Refuses(NoTextMessagesError, PhoneCodeQuotaError, PhoneNumberRefusedError, PhoneCodeNotSentError)
  async change(@CurrentUser() { userId }: Principal, @Body() { number }: ChangePhoneDto): Promise<PhoneDto> {
    return toPhoneDto(await this.phones.change(userId, number));
  }

  /** Type the code: the number that it was sent to is used from now on. */
  @Post('confirm')
  @Authorize()
  @Audit('phone_confirmed')
  @RateLimit('phone')
  @HttpCode(200)
  @Refuses(InvalidPhoneCodeError)
  async confirm(@CurrentUser() { userId }: Principal, @Body() { code }: ConfirmPhoneDto): Promise<PhoneDto> {
    return toPhoneDto(await this.phones.confirm(userId, code));
  }

  /** Have no more text messages sent: the number, and one that waits for its code, are forgotten. */
  @Delete()
  @Authorize()
  @Audit('phone_removed')
  @HttpCode(204)
  async remove(@CurrentUser() { userId }: Principal): Promise<void> {
    await this.phones.remove(userId);
  }
}
