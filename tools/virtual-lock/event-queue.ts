import type { DeviceEventType, EventPayloads } from '../../src/contracts/events.js';
import {
  MAX_EVENTS_PER_MESSAGE,
  MAX_MQTT_PAYLOAD_BYTES,
  type DeviceEventMessage,
  type ReceiptMessage,
} from '../../src/contracts/mqtt.js';

/** An event as the lock reports it, before it is numbered. */
export type Report = { [T in DeviceEventType]: { type: T; data: EventPayloads[T] } }[DeviceEventType];
type Stamp = Pick<DeviceEventMessage, 'occurredAt' | 'uptimeMs'>;

/** The longest `oldest` that an event is given when it is sent. */
const LONGEST_OLDEST = Buffer.byteLength(`,"oldest":${String(Number.MAX_SAFE_INTEGER)}`);

/** The events of one boot that no receipt covers yet, numbered without a gap. */
export class EventQueue {
  readonly #waiting: DeviceEventMessage[] = [];
  #lastSeq = 0;
  #lost = 0;

  constructor(
    private readonly boot: string,
    private readonly capacity = 1000,
  ) {}

  get size(): number {
    return this.#waiting.length;
  }

  /**
   * Takes an event in, or counts it as lost when there is no room: it then gets no number, for a missing number would
   * hold up all later ones. The loss is reported in its place as soon as there is room.
   */
  add({ type, data }: Report, stamp: Stamp): DeviceEventMessage[] {
    const room = this.capacity - this.#waiting.length - (this.#lost > 0 ? 1 : 0);
    const event: DeviceEventMessage = { seq: this.#lastSeq + 1, boot: this.boot, type, ...stamp, data };
    if (room < 1 || byteLength(event) > MAX_MQTT_PAYLOAD_BYTES) {
      this.#lost += 1;
      return [];
    }
    const added =
      this.#lost > 0 ? [this.#confess(stamp), this.#append(type, data, stamp)] : [this.#append(type, data, stamp)];
    this.#lost = 0;
    return added;
  }

  /** Lets go of what the receipt covers; false for a receipt that cannot be about these events. */
  settle({ boot, seq }: ReceiptMessage): boolean {
    if (boot !== this.boot || seq > this.#lastSeq) {
      return false;
    }
    const covered = this.#waiting.filter((event) => event.seq <= seq).length;
    this.#waiting.splice(0, covered);
    return true;
  }

  /** The events of a message, of which the first says which is the oldest that waits: the backend may have lost receipts. */
  stamped([first, ...rest]: readonly DeviceEventMessage[]): DeviceEventMessage[] {
    const oldest = this.#waiting[0]?.seq;
    return first === undefined || oldest === undefined ? [] : [{ ...first, oldest }, ...rest];
  }

  /** All that waits, in messages no larger than either side accepts. */
  batches(): DeviceEventMessage[][] {
    const batches: DeviceEventMessage[][] = [];
    let bytes = 0;
    for (const event of this.#waiting) {
      const last = batches.at(-1);
      bytes += byteLength(event);
      if (last && last.length < MAX_EVENTS_PER_MESSAGE && bytes <= MAX_MQTT_PAYLOAD_BYTES) {
        last.push(event);
      } else {
        batches.push([event]);
        bytes = byteLength(event);
      }
    }
    return batches.map((batch) => this.stamped(batch));
  }

  #confess(stamp: Stamp): DeviceEventMessage {
    const errorMessage = `${String(this.#lost)} events found no room and are lost`;
    return this.#append('error_occurred', { errorCode: 'events_lost', errorMessage }, stamp);
  }

  #append(type: DeviceEventType, data: DeviceEventMessage['data'], stamp: Stamp): DeviceEventMessage {
    this.#lastSeq += 1;
    const event: DeviceEventMessage = { seq: this.#lastSeq, boot: this.boot, type, ...stamp, data };
    this.#waiting.push(event);
    return event;
  }
}

/** Its share of an array: one more byte for the comma or bracket before it, one for the last bracket. Each may be the first. */
function byteLength(event: DeviceEventMessage): number {
  return Buffer.byteLength(JSON.stringify(event)) + 2 + LONGEST_OLDEST;
}
