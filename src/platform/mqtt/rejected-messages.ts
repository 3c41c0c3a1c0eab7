import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { parseDeviceTopic } from '../../contracts/mqtt.js';
import { isUuid } from '../../shared/ids.js';
import { LimitedLogger } from '../logging/limited-logger.js';
import { type Counter, Metrics } from '../metrics/metrics.js';

/** Faults of one message that are told: a message of a hundred events may have hundreds. */
const MAX_FAULTS = 5;

/** Nothing is taken of a device without a valid token, or of one that is unknown, whatever its broker still holds. */
export const NO_VALID_TOKEN = 'no_valid_token';

/** One refusal, of a device that is known to have caused it. */
export interface LineRefusal {
  readonly deviceId: string;
  readonly code: string;
  /** What was wrong, as far as it can be said in a line. */
  readonly detail: string | null;
  /** What it counts towards cutting the device. */
  readonly weight: number;
}

/**
 * Refusals that a device causes by doing as it should, such as sending again what found no room today, or that others
 * cause: its owner and their devices, and whatever keeps this process busy. Without a token it may have one again any moment.
 */
const BLAMELESS: ReadonlySet<string> = new Set([
  'too_many_events_today',
  'too_many_events',
  'too_many_messages_of_owner',
  'too_many_waiting',
  'waited_too_long',
  'not_stored',
  'event_not_stored',
  'internal_error',
  NO_VALID_TOKEN,
  'busy',
  'service_unavailable',
]);

interface Faulty {
  readonly errors?: readonly { readonly detail: string; readonly pointer: string }[];
  readonly err?: unknown;
}

/**
 * What was refused on the device line. Each one is counted and told to who listens; the log takes a few lines a second.
 */
@Injectable()
export class RejectedMessages {
  readonly #messages: Counter<'code'>;
  readonly #operations: Counter<'operation' | 'code'>;
  readonly #readings: Counter<'channel' | 'field'>;
  readonly #notices: Counter<'code'>;
  readonly #pauses: Counter;
  readonly #listeners: ((refusal: LineRefusal) => void)[] = [];
  readonly #log: LimitedLogger;

  constructor(logger: PinoLogger, metrics: Metrics) {
    logger.setContext(RejectedMessages.name);
    this.#log = new LimitedLogger(logger);
    this.#messages = metrics.counter('mortise_mqtt_messages_refused_total', 'Messages of devices that were refused', [
      'code',
    ]);
    this.#operations = metrics.counter(
      'mortise_mqtt_operations_refused_total',
      'Refusals of the embedded broker, and of requests of devices before they were read',
      ['operation', 'code'],
    );
    this.#readings = metrics.counter(
      'mortise_device_readings_dropped_total',
      'Fields of messages of devices that were no good; the rest of their messages was taken',
      ['channel', 'field'],
    );
    this.#notices = metrics.counter(
      'mortise_device_notices_total',
      'Faults of devices whose messages were taken all the same',
      ['code'],
    );
    this.#pauses = metrics.counter(
      'mortise_mqtt_read_pauses_total',
      'Times that the embedded broker read no further from a device beyond its limits',
    );
  }

  /** Calls `listener` for each refusal whose device is certain. It must be quick, and must not throw. */
  onRefusal(listener: (refusal: LineRefusal) => void): void {
    this.#listeners.push(listener);
  }

  /** A message reached us and is not what the protocol says, or more than it allows. */
  message(code: string, topic: string, fields: Faulty & Record<string, unknown> = {}): void {
    this.#messages.inc({ code });
    const { errors, ...others } = fields;
    const told = errors ? { errors: errors.slice(0, MAX_FAULTS) } : {};
    this.#log.warn(code, { code, topic, ...others, ...told }, 'Message of a device refused');
    const [first] = errors ?? [];
    const detail = first ? `${first.pointer}: ${first.detail}` : null;
    this.tellOf(topic, { code, detail, weight: BLAMELESS.has(code) ? 0 : 1 });
  }

  /** A reading was no good and was dropped; its message was taken. `field` is one that the protocol names. */
  reading(topic: string, field: string): void {
    const channel = parseDeviceTopic(topic)?.channel ?? 'unknown';
    this.#readings.inc({ channel, field });
    this.#log.warn('bad_reading', { code: 'bad_reading', topic, field }, 'Reading of a device dropped');
    this.tellOf(topic, { code: 'bad_reading', detail: `/${field}`, weight: 0 });
  }

  /** A message was taken, and shows that something is wrong with its device. */
  notice(code: string, topic: string, detail: string): void {
    this.#notices.inc({ code });
    this.#log.warn(code, { code, topic, detail }, 'Something is wrong with a device');
    this.tellOf(topic, { code, detail, weight: 0 });
  }

  /** The embedded broker did not let something happen, or the request of a device was not taken. A `deviceId` that has not proved itself is only logged. */
  operation(
    operation: 'connect' | 'publish' | 'subscribe' | 'packet' | 'forward' | 'request',
    code: string,
    { deviceId, ...fields }: { deviceId?: string | undefined; proven?: boolean } & Record<string, unknown> = {},
  ): void {
    this.#operations.inc({ operation, code });
    this.#log.warn(code, { operation, code, deviceId, ...fields }, 'Refused on the device line');
    if (deviceId !== undefined && fields.proven === true) {
      this.tell({ deviceId, code, detail: null, weight: 1 });
    }
  }

  /** The embedded broker reads no further from a device for so long. */
  slowed(deviceId: string, forMs: number): void {
    this.#pauses.inc();
    this.tell({ deviceId, code: 'too_many_messages', detail: null, weight: forMs / 1_000 });
  }

  /** Of the device that a topic names. */
  private tellOf(topic: string, refusal: Omit<LineRefusal, 'deviceId'>): void {
    const deviceId = parseDeviceTopic(topic)?.deviceId;
    if (deviceId !== undefined && isUuid(deviceId)) {
      this.tell({ deviceId, ...refusal });
    }
  }

  private tell(refusal: LineRefusal): void {
    this.#listeners.forEach((listener) => {
      listener(refusal);
    });
  }
}
