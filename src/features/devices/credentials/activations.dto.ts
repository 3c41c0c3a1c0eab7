import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsInt, IsString, Length, Max, Min } from 'class-validator';
import { IfGiven } from '../../../platform/http/members/if-given.js';
import { SpelledAsId } from '../../../platform/http/members/id.decorator.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import { OrderKeyDto, toOrderKeyDto } from '../../signing-keys/order-keys.dto.js';
import type { Activation } from './activation.service.js';
import type { ActivationCode } from './credentials.types.js';
import type { TokenRotation } from './device-tokens.service.js';

const DEFAULT_OVERLAP_S = 60 * 60;
const MAX_OVERLAP_S = 7 * 24 * 60 * 60;
export const QR_FORMATS = ['svg', 'png'] as const;
export type QrFormat = (typeof QR_FORMATS)[number];

/** What a device is activated with, once. */
export class ActivationCodeDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  deviceId!: string;

  /** @example 7K2M-9QXT-0B4H-VWEN-3J8D */
  code!: string;

  /**
   * RFC 3339: 24 hours after it was made.
   * @example 2026-11-21T18:00:00.000Z
   */
  expiresAt!: string;
}

/** A new code. */
export class NewActivationDto {
  /** Null when an `Idempotency-Key` is repeated. */
  activation!: ActivationCodeDto | null;
}

export class QrQueryDto {
  /** The image. */
  @IfGiven()
  @IsIn(QR_FORMATS)
  format: QrFormat = 'svg';
}

export class ActivateDeviceDto {
  /**
   * As in the QR code.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55
   */
  @SpelledAsId()
  @IsString()
  @Length(1, 100)
  @OftenCalled('id', 'device')
  deviceId!: string;

  /**
   * As in the QR code; in any case, with or without hyphens and blanks.
   * @example 7K2M-9QXT-0B4H-VWEN-3J8D
   */
  @IsString()
  @Length(1, 100)
  @OftenCalled('activationCode', 'token')
  code!: string;
}

/** Everything a device needs to connect. */
export class ActivationDto {
  /**
   * Its MQTT username.
   * @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55
   */
  deviceId!: string;

  /**
   * Its MQTT password. Every earlier one has ended.
   * @example q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA
   */
  deviceToken!: string;

  /**
   * Where it connects to.
   * @example mqtts://broker.example.com:8883
   */
  brokerUrl!: string;

  /** What it verifies orders with; also at `/.well-known/order-keys.json`. */
  orderKeys!: OrderKeyDto[];
}

export class RotateTokenDto {
  /**
   * How long the older tokens stay valid, in seconds: up to 7 days. 0 ends them at once.
   * @example 3600
   */
  @ApiPropertyOptional()
  @IfGiven()
  @IsInt()
  @Min(0)
  @Max(MAX_OVERLAP_S)
  @OftenCalled('overlap', 'graceSeconds')
  overlapSeconds: number = DEFAULT_OVERLAP_S;
}

/** A new token. */
export class RotatedTokenDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  deviceId!: string;

  /**
   * MQTT password of the device. Shown once: null when an `Idempotency-Key` is repeated.
   * @example q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA
   */
  deviceToken!: string | null;

  /** When the older tokens end, RFC 3339; null where none is left, and for a repeat. */
  @ApiProperty({ example: '2026-11-20T19:00:00.000Z' })
  olderUntil!: string | null;
}

export function toActivationCodeDto(
  deviceId: string,
  { code, expiresAt }: ActivationCode,
): Readonly<ActivationCodeDto> {
  return { deviceId, code, expiresAt: expiresAt.toISOString() };
}

export function toActivationDto(
  { deviceId, deviceToken, orderKeys }: Activation,
  brokerUrl: string,
): Readonly<ActivationDto> {
  return { deviceId, deviceToken, brokerUrl, orderKeys: orderKeys.map(toOrderKeyDto) };
}

export function toRotatedTokenDto(
  deviceId: string,
  { deviceToken, olderUntil }: TokenRotation,
): Readonly<RotatedTokenDto> {
  return { deviceId, deviceToken, olderUntil: olderUntil?.toISOString() ?? null };
}
