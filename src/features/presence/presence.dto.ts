import { IsBoolean, IsIn, IsInt, IsString, Matches, Max, Min } from 'class-validator';
import { DOOR_STATES, type DoorState, LOCK_STATES, type LockState } from '../../contracts/devices.js';
import { UPLINK_LIMITS } from '../../contracts/uplinks.js';
import { notVisible, VISIBLE } from '../../platform/http/visible-text.js';
import { Reading } from '../../platform/uplinks/reading.decorator.js';
import { IsBoot, IsCount, Uptime } from '../../platform/uplinks/uplink-fields.decorator.js';
import type { Birth, Heartbeat } from './presence.types.js';

const [EMPTY, FULL] = UPLINK_LIMITS.battery;
const [WEAKEST, STRONGEST] = UPLINK_LIMITS.rssi;

/** Birth and will: what a device publishes on its `status` topic. */
export class StatusMessageDto {
  /** Whether the device is online. The will, and an orderly disconnect, carry false. */
  @IsBoolean()
  online!: boolean;

  /** Random, made by the device at every start. */
  @IsBoot()
  boot!: string;

  /** Milliseconds since that start, on a monotonic clock. Of a birth without it no deadline can be computed. */
  @Uptime()
  uptimeMs?: number;

  @Reading({ cutTo: UPLINK_LIMITS.firmwareVersionLength })
  @IsString()
  @Matches(VISIBLE, notVisible)
  firmwareVersion?: string;

  /** `unknown` and null: it does not know where its bolt is. */
  @Reading({ nullAs: 'unknown' })
  @IsIn([...LOCK_STATES, 'unknown'])
  lockState?: LockState | 'unknown';

  /** False while it does not know where its bolt is, whatever its `lockState`. */
  @Reading()
  @IsBoolean()
  calibrated?: boolean;

  @Reading()
  @IsIn(DOOR_STATES)
  doorState?: DoorState;
}

/** What a device publishes on its `heartbeat` topic every 30 s. */
export class HeartbeatMessageDto {
  /** Random, made by the device at every start. */
  @IsBoot()
  boot!: string;

  /** Milliseconds since that start. */
  @Uptime()
  uptimeMs?: number;

  /** Percent. */
  @Reading({ whole: 'rounded' })
  @IsInt()
  @Min(EMPTY)
  @Max(FULL)
  battery?: number;

  /** dBm. */
  @Reading({ whole: 'rounded' })
  @IsInt()
  @Min(WEAKEST)
  @Max(STRONGEST)
  rssi?: number;

  /** Bytes. */
  @Reading({ whole: 'rounded' })
  @IsCount()
  freeHeap?: number;
}

export function toHeartbeat({ boot, uptimeMs, battery, rssi }: HeartbeatMessageDto): Heartbeat {
  return {
    boot,
    ...(uptimeMs !== undefined && { uptimeMs }),
    ...(battery !== undefined && { battery }),
    ...(rssi !== undefined && { rssi }),
  };
}

/** Takes only a status with `online: true`. */
export function toBirth(status: StatusMessageDto): Birth {
  const { boot, uptimeMs, firmwareVersion, lockState, doorState } = status;
  const calibrated = lockState === 'unknown' ? false : status.calibrated;
  return {
    boot,
    ...(uptimeMs !== undefined && { uptimeMs }),
    ...(firmwareVersion !== undefined && { firmwareVersion }),
    ...(lockState !== undefined && lockState !== 'unknown' && { lockState }),
    ...(calibrated !== undefined && { calibrated }),
    ...(doorState !== undefined && { doorState }),
  };
}
