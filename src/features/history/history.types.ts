import type { DeviceEventType, EventPayloads, EventType } from '../../contracts/events.js';

/** One event on its way from a device into the log. */
export interface IncomingEvent {
  readonly deviceId: string;
  /** The start of the device it belongs to. */
  readonly boot: string;
  /** Counted from 1 in every start. */
  readonly seq: number;
  readonly type: DeviceEventType;
  /** Checked against the type. */
  readonly data: EventPayloads[DeviceEventType];
  /** By the device's clock, where it has one. */
  readonly occurredAt?: Date;
}

/** How far the events of one start of a device are stored. */
export interface ReceiptRow {
  readonly deviceId: string;
  readonly boot: string;
  readonly seq: number;
  readonly ownerId: string;
  readonly version: number;
}

/** What to publish once the batch is committed. */
export interface Receipt {
  readonly deviceId: string;
  readonly boot: string;
  readonly seq: number;
}

/** Which part of a device's history to read. */
export interface HistoryQuery {
  readonly limit: number;
  readonly cursor?: string;
  readonly types?: readonly EventType[];
  /** Inclusive, by the time we committed it. */
  readonly from?: Date;
  /** Exclusive. */
  readonly to?: Date;
  /** `desc`: newest first. */
  readonly order: 'asc' | 'desc';
}
