import type { ConsumerDeserializer, IncomingEvent } from '@nestjs/microservices';
import { parseDeviceTopic } from '../../contracts/mqtt.js';

/**
 * Passes the payload to the handler as it is. Nest's own deserializer would take a payload with `data` (and `id`) for
 * its envelope: the handler would see the inside, and the device would get an answer on `.../reply`.
 */
export class ChannelDeserializer implements ConsumerDeserializer {
  deserialize(value: unknown, options?: Record<string, unknown>): IncomingEvent {
    const channel = String(options?.channel);
    return { pattern: channel, data: parseDeviceTopic(channel)?.channel === 'events' ? toBatch(value) : value };
  }
}

/** One event or many: a DTO describes one shape, so handlers always see many. */
export function toBatch(value: unknown): { events: unknown[] } {
  return { events: Array.isArray(value) ? (value as unknown[]) : [value] };
}
