import { IsBoolean, IsIn, IsInt, IsString, Matches, Max, Min } from 'class-validator';
import { DOOR_STATES, type DoorState, LOCK_STATES, type LockState } from '../../contracts/devices.js';
import { UPLINK_LIMITS } from '../../contracts/uplinks.js';
import { notVisible, VISIBLE } from '../../platform/http/visible-text.js';
import { Reading } from '../../platform/uplinks/reading.decorator.js';
import { IsBoot, IsCount, Uptime } from '../../platform/uplinks/uplink-fields.decorator.js';
import type { Birth, Heartbeat } from './presence.types.js';

const [EMPTY, FULL] = UPLINK_LIMITS.battery;
const [WEAKEST, STRONGEST] = UPLINK_LIMITS.rssi;
const [SHORTEST, LONGEST] = UPLINK_LIMITS.heartbeatIntervalMs;

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

  /** How often it sends heartbeats; left out: every 30 s. */
  @Reading({ whole: 'rounded' })
  @IsInt()
  @Min(SHORTEST)
  @Max(LONGEST)
  heartbeatIntervalMs?: number;
}

/** What a device publishes on its `heartbeat` topic every 30 s. */
export class HeartbeatMessageDto {
  /**
   * Random, made by the device at every start.
   * @example Zb3xQ7kT0pVw9sLr2NcYhA
   */
  @IsBoot()
  boot!: string;

  /**
   * Milliseconds since that start.
   * @example 93215
   */
  @Uptime()
  uptimeMs?: number;

  /**
   * Percent.
   * @example 87
   */
  @Reading({ whole: 'rounded' })
  @IsInt()
  @Min(EMPTY)
  @Max(FULL)
  battery?: number;

  /**
   * dBm.
   * @example -61
   */
  @Reading({ whole: 'rounded' })
  @IsInt()
  @Min(WEAKEST)
  @Max(STRONGEST)
  rssi?: number;

  /**
   * Bytes.
   * @example 180224
   */
  @Reading({ whole: 'rounded' })
  @IsCount()
  freeHeap?: number;
}

export function toHeartbeat({ boot, uptimeMs, battery, rssi, freeHeap }: HeartbeatMessageDto): Heartbeat {
  return {
    boot,
    ...(uptimeMs !== undefined && { uptimeMs }),
    ...(battery !== undefined && { battery }),
    ...(rssi !== undefined && { rssi }),
    ...(freeHeap !== undefined && { freeHeap }),
  };
}

/** Of a status, it takes only one with `online: true`. */
export function toBirth(status: Omit<StatusMessageDto, 'online'>): Birth {
  const { boot, uptimeMs, firmwareVersion, lockState, doorState, heartbeatIntervalMs } = status;
  const calibrated = lockState === 'unknown' ? false : status.calibrated;
  return {
    boot,
    ...(uptimeMs !== undefined && { uptimeMs }),
    ...(firmwareVersion !== undefined && { firmwareVersion }),
    ...(lockState !== undefined && lockState !== 'unknown' && { lockState }),
    ...(calibrated !== undefined && { calibrated }),
    ...(doorState !== undefined && { doorState }),
    ...(heartbeatIntervalMs !== undefined && { heartbeatIntervalMs }),
  };
}
