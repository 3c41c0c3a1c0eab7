import { ApiProperty } from '@nestjs/swagger';
import { Matches } from 'class-validator';
import { IsE164 } from '../../../platform/http/members/push-target.decorator.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import { MAX_TRIES, type PhoneCode, RESEND_AFTER_S } from './phone-codes.repository.js';
import type { PhoneStanding } from './phone.service.js';
import type { Phone } from './phones.repository.js';

/** The number that I name. */
export class ChangePhoneDto {
  /** With its country; blanks, dots, dashes and parentheses are passed over. `00` in place of `+` is not understood. */
  @IsE164()
  @OftenCalled('phone', 'phoneNumber', 'to', 'tel')
  number!: string;
}

/** What the text message says. */
export class ConfirmPhoneDto {
  /** @example 492817 */
  @ApiProperty({ type: String, example: '492817' })
  @Matches(/^\d{6}$/, { message: 'must be the six digits of the text message' })
  @OftenCalled('otp', 'pin', 'token')
  code!: string;
}

/** A number that waits for its code. */
export class WaitingPhoneDto {
  /** @example +49*********78 */
  number!: string;

  /** @example 2026-12-06T08:10:00.000Z */
  expiresAt!: string;

  /**
   * Codes that may still be typed.
   * @example 5
   */
  triesLeft!: number;

  /**
   * When another code is sent to it, if it is named again.
   * @example 2026-12-06T08:01:00.000Z
   */
  resendAt!: string;
}

/** Where text messages for me go. */
export class PhoneDto {
  /**
   * The number in use, but for its beginning and its end; null: there is none.
   * @example +49*********21
   */
  number!: string | null;

  /** @example 2026-12-01T08:00:00.000Z */
  verifiedAt!: string | null;

  /** Since when nothing is sent there: the provider takes nothing for it. Name it again to confirm it anew. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  stoppedAt!: string | null;

  /** Of the provider, such as `twilio_21610`: it was answered with STOP. */
  @ApiProperty({ type: String, nullable: true, example: null })
  stopReason!: string | null;

  /** The number that takes its place when it is confirmed; null: none waits. */
  @ApiProperty({ type: WaitingPhoneDto, nullable: true })
  waiting!: WaitingPhoneDto | null;
}

export function toPhoneDto({ phone, waiting }: PhoneStanding): Readonly<PhoneDto> {
  return { ...toUsedPhone(phone), waiting: waiting && toWaitingPhoneDto(waiting) };
}

function toUsedPhone(phone: Phone | null): Omit<PhoneDto, 'waiting'> {
  if (!phone) {
    return { number: null, verifiedAt: null, stoppedAt: null, stopReason: null };
  }
  const { masked: number, verifiedAt, stoppedAt, stopReason } = phone;
  return {
    number,
    verifiedAt: verifiedAt.toISOString(),
    stoppedAt: stoppedAt?.toISOString() ?? null,
    stopReason,
  };
}

function toWaitingPhoneDto({ masked, expiresAt, tries, sentAt }: PhoneCode): Readonly<WaitingPhoneDto> {
  return {
    number: masked,
    expiresAt: expiresAt.toISOString(),
    triesLeft: MAX_TRIES - tries,
    resendAt: new Date(sentAt.getTime() + RESEND_AFTER_S * 1_000).toISOString(),
  };
}
