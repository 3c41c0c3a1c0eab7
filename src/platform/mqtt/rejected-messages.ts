import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { parseDeviceTopic } from '../../contracts/mqtt.js';
import { type Counter, Metrics } from '../metrics/metrics.js';

const LINES_PER_SECOND = 10;

/**
 * What was refused on the device line. Each one is counted; the log takes a few lines a second, so that a device gone
 * mad cannot fill the disk.
 */
@Injectable()
export class RejectedMessages {
  readonly #messages: Counter<'code'>;
  readonly #operations: Counter<'operation' | 'code'>;
  readonly #readings: Counter<'channel' | 'field'>;
  readonly #notices: Counter<'code'>;
  #second = 0;
  #lines = 0;
  #unlogged = 0;

  constructor(
    private readonly logger: PinoLogger,
    metrics: Metrics,
  ) {
    logger.setContext(RejectedMessages.name);
    this.#messages = metrics.counter('mortise_mqtt_messages_refused_total', 'Messages of devices that were refused', [
      'code',
    ]);
    this.#operations = metrics.counter('mortise_mqtt_operations_refused_total', 'Refusals of the embedded broker', [
      'operation',
      'code',
    ]);
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
  }

  /** A message reached us and is not what the protocol says. */
  message(code: string, topic: string, fields: Record<string, unknown> = {}): void {
    this.#messages.inc({ code });
    this.log({ code, topic, ...fields }, 'Message of a device refused');
  }

  /** A reading was no good and was dropped; its message was taken. `field` is one that the protocol names. */
  reading(topic: string, field: string): void {
    const channel = parseDeviceTopic(topic)?.channel ?? 'unknown';
    this.#readings.inc({ channel, field });
    this.log({ code: 'bad_reading', topic, field }, 'Reading of a device dropped');
  }

  /** A message was taken, and shows that something is wrong with its device. */
  notice(code: string, topic: string, detail: string): void {
    this.#notices.inc({ code });
    this.log({ code, topic, detail }, 'Something is wrong with a device');
  }

  /** The embedded broker did not let something happen. */
  operation(
    operation: 'connect' | 'publish' | 'subscribe' | 'packet',
    code: string,
    fields: Record<string, unknown> = {},
  ): void {
    this.#operations.inc({ operation, code });
    this.log({ operation, code, ...fields }, 'Refused on the device line');
  }

  private log(fields: Record<string, unknown>, message: string): void {
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#lines = 0;
    }
    if (++this.#lines > LINES_PER_SECOND) {
      this.#unlogged++;
      return;
    }
    this.logger.warn(this.#unlogged > 0 ? { ...fields, unlogged: this.#unlogged } : fields, message);
    this.#unlogged = 0;
  }
}
