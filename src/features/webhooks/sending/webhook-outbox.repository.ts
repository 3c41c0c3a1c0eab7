import { Injectable } from '@nestjs/common';
import type { StoredEvent } from '../../../contracts/events.js';
import { arrayParam } from '../../../platform/prisma/array-param.js';
import { Database } from '../../../platform/prisma/database.js';
import { newId } from '../../../shared/ids.js';
import { messageOf } from './webhook-message.js';

/** An event that an endpoint is to be told. */
export interface NewDelivery {
  readonly endpointId: string;
  readonly deviceId: string;
  readonly event: StoredEvent;
}

/** The events of one device for one endpoint. */
interface Stream {
  readonly endpointId: string;
  readonly deviceId: string;
  readonly events: StoredEvent[];
}

interface CountedRow {
  [column: string]: unknown;
  readonly place: number;
  readonly last: number;
}

/** In an order of its own, so that two that count the same devices do not wait for each other. One whose endpoint is gone has no row. */
// SQL: a lock
const COUNT = `
  WITH counted AS (
    INSERT INTO webhook_sequences AS s (endpoint_id, device_id, last_sequence)
    SELECT a.endpoint_id, a.device_id, a.added
    FROM unnest(${arrayParam(1, 'uuid')}, ${arrayParam(2, 'uuid')}, ${arrayParam(3, 'bigint')}) AS a(endpoint_id, device_id, added)
    JOIN webhook_endpoints w ON w.id = a.endpoint_id
    ORDER BY 1, 2 FOR KEY SHARE OF w
    ON CONFLICT (endpoint_id, device_id) DO UPDATE SET last_sequence = s.last_sequence + EXCLUDED.last_sequence
    RETURNING endpoint_id, device_id, last_sequence
  )
  SELECT (a.place - 1)::int AS place, c.last_sequence::float8 AS last
  FROM unnest(${arrayParam(1, 'uuid')}, ${arrayParam(2, 'uuid')}) WITH ORDINALITY AS a(endpoint_id, device_id, place)
  JOIN counted c USING (endpoint_id, device_id)`;

/** The first of a device is due at once, unless an earlier one holds it back; each other one when the one before it ends. */
// SQL: a set-based batch
const ADD = `
  INSERT INTO webhook_deliveries (id, endpoint_id, device_id, sequence, type, event_user_id, occurred_at, body, next_attempt_at)
  SELECT r.id, r.endpoint_id, r.device_id, r.sequence, r.type, r.event_user_id, r.occurred_at, r.body,
    CASE WHEN r.first AND NOT EXISTS (
      SELECT FROM webhook_deliveries d WHERE d.endpoint_id = r.endpoint_id AND d.device_id = r.device_id
        AND d.state = 'PENDING' AND d.holds) THEN now() ELSE 'infinity' END
  FROM jsonb_to_recordset($1::jsonb) AS r(id uuid, endpoint_id uuid, device_id uuid, sequence bigint, type text,
    event_user_id uuid, occurred_at timestamptz, body text, first boolean)`;

/** Adds deliveries, in the order of their events. */
@Injectable()
export class WebhookOutboxRepository {
  constructor(private readonly database: Database) {}

  /** Part of the surrounding transaction, until whose end no delivery of these devices ends. */
  async add(deliveries: readonly NewDelivery[]): Promise<void> {
    const streams = streamsOf(deliveries);
    const counted = await this.database.query<CountedRow>('webhook_sequences_count', COUNT, [
      streams.map(({ endpointId }) => endpointId),
      streams.map(({ deviceId }) => deviceId),
      streams.map(({ events }) => events.length),
    ]);
    const records = counted.flatMap(({ place, last }) => {
      const stream = streams[place];
      return stream ? recordsOf(stream, last - stream.events.length) : [];
    });
    if (records.length > 0) {
      // A statement of its own: it sees what ended while the one before waited.
      await this.database.query('webhook_deliveries_add', ADD, [JSON.stringify(records)]);
    }
  }
}

function streamsOf(deliveries: readonly NewDelivery[]): Stream[] {
  const streams = new Map<string, Stream>();
  for (const { endpointId, deviceId, event } of deliveries) {
    const key = `${endpointId} ${deviceId}`;
    const stream = streams.get(key) ?? { endpointId, deviceId, events: [] };
    stream.events.push(event);
    streams.set(key, stream);
  }
  return [...streams.values()];
}

function recordsOf({ endpointId, deviceId, events }: Stream, before: number): Record<string, unknown>[] {
  return events.map((event, index) => ({
    id: newId(),
    endpoint_id: endpointId,
    device_id: deviceId,
    sequence: before + index + 1,
    type: event.type,
    event_user_id: event.userId,
    occurred_at: event.occurredAt,
    body: messageOf(event, before + index + 1),
    first: index === 0,
  }));
}
