import { Equals, IsJWT, IsOptional, IsString, IsUUID, MaxLength } from 'class-validator';
import type { DashboardHandshake } from '../../contracts/realtime.js';

/** What a dashboard sends as `auth` when it connects. */
export class DashboardHandshakeDto implements DashboardHandshake {
  /** An access token. */
  @IsJWT()
  @MaxLength(4_096)
  token!: string;

  @Equals('dashboard')
  clientType!: 'dashboard';

  /** The last `cursor` that the dashboard got: the events after it are sent first. */
  @IsOptional()
  @IsString()
  @MaxLength(512)
  lastCursor?: string;
}

/** Names a device. */
export class DeviceSubscriptionDto {
  @IsUUID()
  deviceId!: string;
}
