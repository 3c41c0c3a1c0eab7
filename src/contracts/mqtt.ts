import type { AckStatus } from './commands.js';
import type { DoorState, LockState } from './devices.js';
import type { DeviceEventType, EventPayloads } from './events.js';
import type { SignedOrder } from './orders.js';

/** The device line, version 1: `v1/devices/{deviceId}/{channel}`. Payloads are JSON. */
export type DeviceTopic<C extends DeviceChannel = DeviceChannel> = `v1/devices/${string}/${C}`;

/** Retained by the broker, and the shape of the last will: both carry the boot, so a late will is recognised. */
export type StatusMessage =
  | {
      online: true;
      /** 8 to 64 characters, random, made by the device at every start. */
      boot: string;
      /** Milliseconds since that start, on a clock that never jumps. */
      uptimeMs: number;
      firmwareVersion?: string;
      /** `unknown`: it does not know where its bolt is. */
      lockState?: LockState | 'unknown';
      /** False while it does not, whatever its lock state. */
      calibrated?: boolean;
      doorState?: DoorState;
      /** How often it sends heartbeats, 10 s to 24 h; left out: every 30 s. */
      heartbeatIntervalMs?: number;
    }
  | { online: false; boot: string };

/** Every 30 s, or as the birth declares. Three missed ones and the device counts as offline. */
export interface HeartbeatMessage {
  boot: string;
  uptimeMs: number;
  /** Percent, 0 to 100. */
  battery?: number;
  /** dBm, -120 to 0. */
  rssi?: number;
  /** Bytes. */
  freeHeap?: number;
}

/** One fact reported by a device. `seq` starts at 1 for every boot and has no gaps. */
export interface DeviceEventMessage<T extends DeviceEventType = DeviceEventType> {
  seq: number;
  boot: string;
  /** The lowest `seq` of this boot that no receipt covered when it was sent; of one event of a message is enough. */
  oldest?: number;
  type: T;
  /** RFC 3339, if the device has a clock. */
  occurredAt?: string;
  /** Uptime at which it happened: it decides where both are given. */
  uptimeMs?: number;
  data: EventPayloads[T];
}

/** Everything of this boot up to `seq` is committed; the device resends the rest. */
export interface ReceiptMessage {
  boot: string;
  seq: number;
}

export interface AckMessage {
  commandId: string;
  status: AckStatus;
  result?: Record<string, unknown>;
  errorCode?: string;
  errorMessage?: string;
}

/** What a device should be set to: it replaces all that came before. */
export interface SettingsMessage {
  /** To be confirmed by an event `settings_updated`. */
  version: number;
  /** Those that are not in it are at the default of the device. */
  settings: Record<string, unknown>;
}

/** What travels on each channel. */
export interface DeviceMessages {
  status: StatusMessage;
  heartbeat: HeartbeatMessage;
  events: DeviceEventMessage | DeviceEventMessage[];
  receipts: ReceiptMessage;
  commands: SignedOrder;
  settings: SettingsMessage;
  acks: AckMessage;
}
export type DeviceChannel = keyof DeviceMessages;

/** Channels a device publishes on; it subscribes to the others. */
export const UPLINK_CHANNELS = ['status', 'heartbeat', 'events', 'acks'] as const satisfies readonly DeviceChannel[];
export type UplinkChannel = (typeof UPLINK_CHANNELS)[number];
export const DOWNLINK_CHANNELS = ['receipts', 'commands', 'settings'] as const satisfies readonly DeviceChannel[];
export type DownlinkChannel = (typeof DOWNLINK_CHANNELS)[number];
/**
 * Channels of which the broker keeps the last message. A command is never kept: it would reach a lock that was away. What
 * a device should be set to still holds when it comes back.
 */
export const RETAINED_CHANNELS = ['status', 'settings'] as const satisfies readonly DeviceChannel[];

/** Whether the broker may keep messages of a channel. */
export function isRetained(channel: DeviceChannel): boolean {
  return RETAINED_CHANNELS.some((each) => each === channel);
}

export const HEARTBEAT_INTERVAL_MS = 30_000;
/** Largest payload that either side accepts, in bytes. */
export const MAX_MQTT_PAYLOAD_BYTES = 65_536;
/** Most events in one message of the `events` channel. */
export const MAX_EVENTS_PER_MESSAGE = 100;

export function deviceTopic<C extends DeviceChannel>(deviceId: string, channel: C): DeviceTopic<C> {
  return `v1/devices/${deviceId}/${channel}`;
}

/** Subscription that hears one channel of every device. */
export function allDevices<C extends UplinkChannel>(channel: C): `v1/devices/+/${C}` {
  return `v1/devices/+/${channel}`;
}

/** The parts of a device topic, or null for anything else. */
export function parseDeviceTopic(topic: string): { deviceId: string; channel: DeviceChannel } | null {
  const [version, scope, deviceId, channel, ...rest] = topic.split('/');
  if (version !== 'v1' || scope !== 'devices' || !deviceId || rest.length > 0 || !isChannel(channel)) {
    return null;
  }
  return { deviceId, channel };
}

function isChannel(value: string | undefined): value is DeviceChannel {
  return [...UPLINK_CHANNELS, ...DOWNLINK_CHANNELS].some((channel) => channel === value);
}
