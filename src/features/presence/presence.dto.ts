import { IsBoolean, IsIn, IsInt, IsOptional, Matches, Max, Min, ValidateIf } from 'class-validator';
import { DOOR_STATES, type DoorState, LOCK_STATES, type LockState } from '../../contracts/devices.js';
import { IfGiven } from '../../platform/http/if-given.js';
import type { Birth } from './presence.types.js';

const BOOT = /^[\w-]{8,64}$/;
const notBoot = { message: 'boot takes 8 to 64 letters, digits, _ and -' };

/** Birth and will: what a device publishes on its `status` topic. */
export class StatusMessageDto {
  /** Whether the device is online. The will, and an orderly disconnect, carry false. */
  @IsBoolean()
  online!: boolean;

  /** Random, made by the device at every start. */
  @Matches(BOOT, notBoot)
  boot!: string;

  /** Milliseconds since that start, on a monotonic clock. Required in a birth. */
  @ValidateIf((status: StatusMessageDto) => status.online || status.uptimeMs !== undefined)
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  uptimeMs?: number;

  @IfGiven()
  @Matches(/^[\x21-\x7e]{1,64}$/, { message: 'firmwareVersion takes 1 to 64 visible ASCII characters' })
  firmwareVersion?: string;

  @IfGiven()
  @IsIn(LOCK_STATES)
  lockState?: LockState;

  @IfGiven()
  @IsIn(DOOR_STATES)
  doorState?: DoorState;
}

/** What a device publishes on its `heartbeat` topic every 30 s. */
export class HeartbeatMessageDto {
  /** Random, made by the device at every start. */
  @Matches(BOOT, notBoot)
  boot!: string;

  /** Milliseconds since that start. */
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  uptimeMs!: number;

  /** Percent. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(100)
  battery?: number;

  /** dBm. */
  @IsOptional()
  @IsInt()
  @Min(-120)
  @Max(0)
  rssi?: number;

  /** Bytes. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  freeHeap?: number;
}

/** Takes only a status with `online: true`: the validation has checked its uptime. */
export function toBirth({ boot, uptimeMs, firmwareVersion, lockState, doorState }: StatusMessageDto): Birth {
  return {
    boot,
    uptimeMs: uptimeMs ?? 0,
    ...(firmwareVersion !== undefined && { firmwareVersion }),
    ...(lockState !== undefined && { lockState }),
    ...(doorState !== undefined && { doorState }),
  };
}
