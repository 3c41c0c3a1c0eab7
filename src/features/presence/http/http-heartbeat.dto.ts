import { IsIn, IsInt, IsString, Matches, Max, Min } from 'class-validator';
import { DOOR_STATES, type DoorState, LOCK_STATES, type LockState } from '../../../contracts/devices.js';
import { UPLINK_LIMITS } from '../../../contracts/uplinks.js';
import { notVisible, VISIBLE } from '../../../platform/http/visible-text.js';
import { Reading } from '../../../platform/uplinks/reading.decorator.js';
import { HeartbeatMessageDto, type StatusMessageDto } from '../presence.dto.js';

const [SHORTEST, LONGEST] = UPLINK_LIMITS.heartbeatIntervalMs;

/** A heartbeat, with what a birth says over MQTT: one request brings a device online. A reading that is no good is left out. */
export class HttpHeartbeatDto extends HeartbeatMessageDto implements Omit<StatusMessageDto, 'online'> {
  /** @example 2.4.1 */
  @Reading({ cutTo: UPLINK_LIMITS.firmwareVersionLength })
  @IsString()
  @Matches(VISIBLE, notVisible)
  firmwareVersion?: string;

  /** @example locked */
  @Reading()
  @IsIn(LOCK_STATES)
  lockState?: LockState;

  /** @example closed */
  @Reading()
  @IsIn(DOOR_STATES)
  doorState?: DoorState;

  /**
   * How often it sends heartbeats; left out: as before, and at first every 30 s. Three missed ones, and it is offline.
   * @example 3600000
   */
  @Reading({ whole: 'rounded' })
  @IsInt()
  @Min(SHORTEST)
  @Max(LONGEST)
  heartbeatIntervalMs?: number;
}

/** What a heartbeat is answered. */
export class HeartbeatAnswerDto {
  /**
   * Commands that wait for this device. They do not travel over HTTP: it gets them once it connects by MQTT.
   * @example 0
   */
  commandsWaiting!: number;
}
