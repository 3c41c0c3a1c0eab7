import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsNumber, IsString, MaxLength, ValidateIf } from 'class-validator';
import { OrNull } from '../../../platform/http/members/if-given.js';
import { Nested } from '../../../platform/http/members/nested.decorator.js';
import { IsPushKey, IsPushSecret, IsPushToken } from '../../../platform/http/members/push-target.decorator.js';
import { OftenCalled } from '../../../platform/http/validation/often-called.decorator.js';
import {
  type AvailablePushServices,
  PUSH_SERVICES,
  type PushService,
  type PushSubscription,
  type PushTarget,
} from './push-subscriptions.types.js';

const MAX_ENDPOINT = 2_048;

/** Over what apps and browsers can be pushed to here. */
export class PushServicesDto {
  /** Of these an app may register its token, and a browser its subscription; empty: nothing is pushed here. */
  @ApiProperty({ enum: PUSH_SERVICES, isArray: true, example: ['web_push', 'fcm'] })
  services!: PushService[];

  /** For `pushManager.subscribe` of browsers; null: there is no Web Push here. */
  @ApiProperty({
    type: String,
    nullable: true,
    example: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
  })
  applicationServerKey!: string | null;
}

/** With which only the browser reads what is pushed to it. */
export class PushKeysDto {
  @IsPushKey()
  p256dh!: string;

  @IsPushSecret()
  auth!: string;
}

/**
 * Of a browser, `service` and the members of `PushSubscription.toJSON()`; of an app, `service` and the token that Google or Apple
 * gave it.
 */
export class RegisterPushSubscriptionDto {
  @ApiProperty({ enum: PUSH_SERVICES, example: 'fcm' })
  @IsIn(PUSH_SERVICES)
  @OftenCalled('type', 'provider', 'platform', 'channel')
  service!: PushService;

  /** `web_push`: the address of its push service; `https`, and reached from the internet. */
  @ApiPropertyOptional({
    type: String,
    maxLength: MAX_ENDPOINT,
    example: 'https://updates.push.services.mozilla.com/wpush/v2/gAAAAABn',
  })
  @ValidateIf(isNeededBy('web_push', 'endpoint'))
  @IsString()
  @MaxLength(MAX_ENDPOINT)
  @OftenCalled('url')
  endpoint?: string;

  /** `web_push` */
  @ApiPropertyOptional()
  @ValidateIf(isNeededBy('web_push', 'keys'))
  @Nested(() => PushKeysDto)
  keys?: PushKeysDto;

  /** `web_push`: as the browser says it. A push service says by itself when a subscription is over. */
  @ApiPropertyOptional({ type: Number, nullable: true, example: null })
  @OrNull()
  @IsNumber()
  expirationTime?: number | null;

  /** `fcm`: a registration token. `apns`: a device token in hexadecimal digits. */
  @ValidateIf(isNeededBy('app', 'token'))
  @IsPushToken()
  @OftenCalled('deviceToken', 'registrationToken', 'pushToken', 'registrationId')
  token?: string;
}

/** A subscription of mine. Where it leads is never shown again. */
export class PushSubscriptionDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c64 */
  id!: string;

  @ApiProperty({ enum: PUSH_SERVICES, example: 'fcm' })
  service!: PushService;

  /** Whether the session of this request has registered it. */
  current!: boolean;

  /**
   * What the browser or app called itself when it registered.
   * @example MortiseApp/2.1 (Android 15)
   */
  userAgent!: string | null;

  /**
   * How its endpoint or token ends.
   * @example …RYqx
   */
  ending!: string;

  /** @example 2026-12-06T08:00:00.000Z */
  createdAt!: string;

  /** When its service last took a push for it; null: none yet. */
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2026-12-06T09:30:00.000Z' })
  lastUsedAt!: string | null;
}

/** All of mine; there are never many, so there are no pages. */
export class PushSubscriptionListDto {
  items!: PushSubscriptionDto[];
}

export function toPushTarget({ service, endpoint, keys, token }: RegisterPushSubscriptionDto): PushTarget {
  // What its service needs was validated to be there.
  return service === 'web_push'
    ? { service, endpoint: endpoint ?? '', p256dh: keys?.p256dh ?? '', auth: keys?.auth ?? '' }
    : { service, token: token ?? '' };
}

export function toPushServicesDto({
  services,
  applicationServerKey,
}: AvailablePushServices): Readonly<PushServicesDto> {
  return { services: [...services], applicationServerKey };
}

export function toPushSubscriptionDto(
  { id, service, sessionId, userAgent, ending, createdAt, lastUsedAt }: PushSubscription,
  mySessionId: string,
): Readonly<PushSubscriptionDto> {
  return {
    id,
    service,
    current: sessionId === mySessionId,
    userAgent,
    ending: `…${ending}`,
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  };
}

export function toPushSubscriptionListDto(
  subscriptions: readonly PushSubscription[],
  mySessionId: string,
): Readonly<PushSubscriptionListDto> {
  return { items: subscriptions.map((one) => toPushSubscriptionDto(one, mySessionId)) };
}

/** A member that browsers have to give, or apps. Given by the other, it is looked at, too. */
function isNeededBy(
  kind: 'web_push' | 'app',
  member: 'endpoint' | 'keys' | 'token',
): (body: RegisterPushSubscriptionDto) => boolean {
  return (body) => (body.service === 'web_push') === (kind === 'web_push') || body[member] !== undefined;
}
