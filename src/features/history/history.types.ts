import type { LinkKind } from '../../contracts/devices.js';
import type { DeviceEventType, EventPayloads, EventSource, EventType } from '../../contracts/events.js';
import type { DeviceEventMessage } from '../../contracts/mqtt.js';
import type { Sequence } from './domain/resumption.js';
import { InvalidTimeRangeError } from './history.errors.js';

/** One boot of one device: event sequences are counted per boot. */
export interface DeviceBoot {
  readonly deviceId: string;
  readonly boot: string;
}

/** A boot of which events arrived. */
export interface ArrivedBoot extends DeviceBoot {
  /** When it started, by a birth that is not recorded yet. */
  readonly startedMsAgo?: number | undefined;
}

/** An event as it was received: its type and its data may be anything. */
export type ReceivedEvent = Omit<DeviceEventMessage, 'type' | 'data'> & { type?: unknown; data?: unknown };

/** An event that a device sent and that is not stored yet. */
export interface IncomingEvent extends DeviceBoot {
  /** How it came. */
  readonly link: LinkKind;
  /** Counted from 1 in every boot. */
  readonly seq: number;
  /** The lowest of this boot that the device still held when it sent this. */
  readonly oldest?: number;
  readonly type: DeviceEventType;
  /** Checked against the type. */
  readonly data: EventPayloads[DeviceEventType];
  /** By the device's clock, where it has one. */
  readonly occurredAt?: Date;
  /** By the time since the device's start. */
  readonly uptimeMs?: number;
  /** It may be left for a moment, until the birth of its boot has arrived. */
  readonly mayWait?: boolean;
  /** Of the message that carried it. */
  readonly correlationId?: string;
}

/** Takes events of one type in the transaction that stores them, and undoes it when it fails. */
export type StoredEventHandler<T extends DeviceEventType = DeviceEventType> = (
  events: readonly (DeviceBoot & { readonly data: EventPayloads[T] })[],
) => Promise<void>;

/** How far the events of one boot are stored. It is published to the device after the commit. */
export interface Receipt extends DeviceBoot {
  /** Of the last event without a gap before it; 0 when there is none. */
  readonly seq: number;
}

/** A receipt with what the events of its device need. `now`: the time of the transaction, at which they are received. */
export interface ReceiptRow extends Receipt, Sequence {
  readonly ownerId: string;
  /** Since when the device has its owner; null: it was never another person's. */
  readonly ownedSince: Date | null;
  /** Of the device. */
  readonly version: number;
  /** When that boot started; null when it is not known, or when its uptime cannot be trusted. */
  readonly bootStartedAt: Date | null;
  /** Whether its birth is the last one that was recorded. */
  readonly isBorn: boolean;
  /** Whether this is the first time that the boot is heard of. */
  readonly isNew: boolean;
  /** Events stored since midnight (UTC). */
  readonly deviceEventsToday: number;
  readonly ownerEventsToday: number;
}

/** Which part of the history to read. */
export interface HistoryQuery {
  readonly limit: number;
  /** Of the page before or after. */
  readonly cursor?: string;
  readonly types?: readonly EventType[];
  readonly actor?: string;
  readonly source?: EventSource;
  readonly commandId?: string;
  /** Inclusive, by the time of the commit. */
  readonly from?: Date;
  /** Exclusive. */
  readonly to?: Date;
  /** What is searched for in events that have text. */
  readonly words?: string;
  /** `desc`: newest first. */
  readonly order: 'asc' | 'desc';
}

/** Of all that a person sees, or of these devices alone. */
export interface EventListQuery extends HistoryQuery {
  readonly deviceIds?: readonly string[];
}

/** @throws InvalidTimeRangeError */
export function assertTimeRange({ from, to }: Pick<HistoryQuery, 'from' | 'to'>): void {
  if (from && to && from >= to) {
    throw new InvalidTimeRangeError();
  }
}
