import { ApiProperty } from '@nestjs/swagger';
import type { AckStatus } from '../contracts/commands.js';
import type { SocketBirth, SocketEvent } from '../contracts/device-sockets.js';
import type { DoorState, LockState } from '../contracts/devices.js';
import type { AckMessage, HeartbeatMessage, ReceiptMessage, SettingsMessage } from '../contracts/mqtt.js';
import type { SignedOrder } from '../contracts/orders.js';
import type { Documented } from '../shared/documented.js';

/** A birth: the device is there. */
export class SocketBirthDto {
  /**
   * 8 to 64 characters, random, made by the device at every start.
   * @example p3kX0vQm4rT9sWc7
   */
  boot!: string;

  /**
   * Milliseconds since that start, on a clock that never jumps.
   * @example 60000
   */
  uptimeMs!: number;

  /** @example 1.4.2 */
  firmwareVersion?: string;

  /**
   * `unknown`: it does not know where its bolt is.
   * @example locked
   */
  lockState?: LockState | 'unknown';

  /**
   * False while it does not, whatever its `lockState`.
   * @example true
   */
  calibrated?: boolean;

  /** @example closed */
  doorState?: DoorState;

  /**
   * How often it sends heartbeats, 10 s to 24 h; left out: every 30 s.
   * @example 600000
   */
  heartbeatIntervalMs?: number;
}

/** The device is still there. */
export class SocketHeartbeatDto {
  /** @example p3kX0vQm4rT9sWc7 */
  boot!: string;

  /** @example 90000 */
  uptimeMs!: number;

  /**
   * Percent.
   * @example 87
   */
  battery?: number;

  /**
   * dBm.
   * @example -61
   */
  rssi?: number;

  /**
   * Bytes.
   * @example 48200
   */
  freeHeap?: number;
}

/** What every event has; `data` depends on the name of the message. */
export class SocketEventDto {
  /**
   * Starts at 1 for every boot, and has no gaps.
   * @example 7
   */
  seq!: number;

  /** @example p3kX0vQm4rT9sWc7 */
  boot!: string;

  /**
   * The lowest `seq` of this boot that no receipt covered when it was sent.
   * @example 7
   */
  oldest?: number;

  /**
   * RFC 3339, if the device has a clock.
   * @example 2026-11-20T18:00:00.000Z
   */
  occurredAt?: string;

  /**
   * Uptime at which it happened: it decides where both are given.
   * @example 61200
   */
  uptimeMs?: number;

  data!: object;
}

/** What a device says of an order. */
export class SocketAckDto {
  /** @example 019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c57 */
  commandId!: string;

  /** @example executed */
  status!: AckStatus;

  result?: Record<string, unknown>;

  /** @example bad_signature */
  errorCode?: string;

  errorMessage?: string;
}

/** All events of this boot up to `seq` are stored. */
export class SocketReceiptDto {
  /** @example p3kX0vQm4rT9sWc7 */
  boot!: string;

  /** @example 7 */
  seq!: number;
}

/** A report was taken. */
export class ReportTakenDto {
  @ApiProperty({ type: Boolean, enum: [true] })
  ok!: true;

  /** Of an event. */
  receipt?: SocketReceiptDto;
}

/** A signed order: docs/protocol.md says how it is checked. */
export class SignedOrderDto {
  /** The order as JSON text. The signature is over its bytes. */
  order!: string;

  /**
   * Which of the keys at `/.well-known/order-keys.json` signed it.
   * @example 4fQ0pS3v
   */
  kid!: string;

  /** Ed25519 over the UTF-8 bytes of `order`, base64url. */
  signature!: string;
}

/** What the device should be set to. It replaces all that came before. */
export class SocketSettingsDto {
  /**
   * To be confirmed by `settings_updated`. The same one may come again.
   * @example 4
   */
  version!: number;

  /** Those that are not in it are at the default of the device. */
  @ApiProperty({ type: 'object', additionalProperties: true, example: { autoLockTimeoutMs: 30_000 } })
  settings!: Record<string, unknown>;
}

type DocumentedBy<M, D extends { readonly [N in keyof M]: abstract new () => unknown }> = {
  readonly [N in keyof M]: Documented<M[N], InstanceType<D[N]>, D[N]>;
};
const documentedMessages =
  <M>() =>
  <const D extends { readonly [N in keyof M]: abstract new () => unknown }>(classes: DocumentedBy<M, D> & D): D =>
    classes;

/** The class that documents each message of a device's socket. The compiler holds it against the contract. */
export const DEVICE_MESSAGE_DTOS = documentedMessages<{
  birth: SocketBirth;
  heartbeat: HeartbeatMessage;
  event: Omit<SocketEvent, 'data'> & { data: object };
  ack: AckMessage;
  receipt: ReceiptMessage;
  order: SignedOrder;
  settings: SettingsMessage;
}>()({
  birth: SocketBirthDto,
  heartbeat: SocketHeartbeatDto,
  event: SocketEventDto,
  ack: SocketAckDto,
  receipt: SocketReceiptDto,
  order: SignedOrderDto,
  settings: SocketSettingsDto,
});
