import { Equals, IsJWT, IsString, MaxLength } from 'class-validator';
import type { DashboardHandshake } from '../../contracts/realtime.js';
import { OrNull } from '../../platform/http/if-given.js';
import { IsId } from '../../platform/http/members/id.decorator.js';
import { OftenCalled } from '../../platform/http/validation/often-called.decorator.js';

/** What a dashboard sends as `auth` when it connects. */
export class DashboardHandshakeDto implements DashboardHandshake {
  /** An access token. */
  @IsJWT()
  @MaxLength(4_096)
  @OftenCalled('accessToken', 'bearer', 'authorization')
  token!: string;

  @Equals('dashboard')
  @OftenCalled('client', 'type')
  clientType!: 'dashboard';

  /** The last `cursor` that the dashboard got: the events after it are sent first. Null, as when left out: from now on. */
  @OrNull()
  @IsString()
  @MaxLength(512)
  @OftenCalled('cursor')
  lastCursor?: string | null;
}

/** Names a device. */
export class DeviceSubscriptionDto {
  @IsId()
  @OftenCalled('id', 'device')
  deviceId!: string;
}
