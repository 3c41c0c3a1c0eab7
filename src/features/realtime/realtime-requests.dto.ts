import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsJWT, IsString, Matches, MaxLength } from 'class-validator';
import type { AnsweredRequest, RequestAnswers, RequestBodies } from '../../contracts/realtime.js';
import { IsId } from '../../platform/http/members/id.decorator.js';
import { OrNull } from '../../platform/http/members/if-given.js';
import { OftenCalled } from '../../platform/http/validation/often-called.decorator.js';
import { CommandDto, SendCommandDto } from '../commands/commands.dto.js';
import { DeviceDto } from '../devices/facts/device.dto.js';
import { documentedBy, SocketProblemDto } from './realtime.dto.js';

/** Names a device. */
export class NamedDeviceDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  @IsId()
  @OftenCalled('id', 'device')
  deviceId!: string;
}

/** A device to listen to. */
export class DeviceSubscriptionDto extends NamedDeviceDto {
  /**
   * What happened to the device since is sent before the answer. Null, as when left out: from now on.
   * @example MS4xMjM0NS42Nzg5
   */
  @OrNull()
  @IsString()
  @MaxLength(512)
  @OftenCalled('cursor')
  lastCursor?: string | null;
}

/** Names an organization. */
export class NamedOrganizationDto {
  /** @example 019a9f3e-4d2b-7f10-8a6c-1b2c3d4e5f60 */
  @IsId()
  @OftenCalled('id', 'organization')
  organizationId!: string;
}

/** A command with the device that it is for. */
export class DeviceCommandDto extends SendCommandDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55 */
  @IsId()
  @OftenCalled('id', 'device')
  deviceId!: string;

  /**
   * As the header `Idempotency-Key` over HTTP: a repeat with the same key, over HTTP or here, does nothing twice.
   * @example 5f2b7c1e-unlock-front-door
   */
  @IsString()
  @Matches(/^[\x21-\x7e]{1,128}$/, { message: 'must be 1 to 128 visible ASCII characters' })
  @OftenCalled('key', 'idempotency-key')
  idempotencyKey!: string;
}

/** A fresh access token. */
export class FreshTokenDto {
  /**
   * Of the same session.
   * @example eyJhbGciOiJSUzI1NiIsImtpZCI6Ii4uLiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl
   */
  @IsJWT()
  @MaxLength(4_096)
  @OftenCalled('accessToken', 'bearer')
  token!: string;
}

/** A request was carried out. */
export class AcceptedDto {
  @ApiProperty({ type: Boolean, enum: [true] })
  ok!: true;
}

/** A request was refused. */
export class RefusedDto {
  error!: SocketProblemDto;
}

/** The subscription stands. */
export class SubscribedDto extends AcceptedDto {
  /**
   * Everything up to here was sent before, of what this connection hears: the next `lastCursor`, once all its devices are
   * subscribed. Only where the request had a cursor.
   * @example MS4xMjM0NS42Nzg5
   */
  @ApiPropertyOptional({ type: String, nullable: true })
  cursor?: string | null;
}

/** The command was accepted. */
export class SentCommandDto extends AcceptedDto {
  @ApiProperty({ type: CommandDto })
  command!: Readonly<CommandDto>;
}

/** A device, as REST shows it. */
export class ShownDeviceDto extends AcceptedDto {
  device!: DeviceDto;
}

/** The connection goes on. */
export class RefreshedTokenDto extends AcceptedDto {
  /**
   * RFC 3339: when the fresh token expires.
   * @example 2026-11-20T18:30:00.000Z
   */
  @ApiProperty({ format: 'date-time' })
  expiresAt!: string;
}

/** The class that documents each request. The compiler holds it against the contract. */
export const REQUEST_DTOS = documentedBy<RequestBodies>()({
  subscribe_device: DeviceSubscriptionDto,
  unsubscribe_device: NamedDeviceDto,
  join_organization: NamedOrganizationDto,
  send_command: DeviceCommandDto,
  request_device_status: NamedDeviceDto,
  refresh_token: FreshTokenDto,
});

/** The same, of what says more than `ok`. */
export const ANSWER_DTOS = {
  subscribe_device: SubscribedDto,
  send_command: SentCommandDto,
  request_device_status: ShownDeviceDto,
  refresh_token: RefreshedTokenDto,
} as const satisfies {
  readonly [R in AnsweredRequest]: abstract new () => { ok: true } & RequestAnswers[R];
};
