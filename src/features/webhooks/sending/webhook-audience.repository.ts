import { Injectable } from '@nestjs/common';
import type { EventType } from '../../../contracts/events.js';
import { arrayParam } from '../../../platform/prisma/array-param.js';
import { Database } from '../../../platform/prisma/database.js';
import { CONCERNED_PEOPLE } from '../../history/feed/audience.sql.js';

/** An endpoint that may be told of an event, by what is known of both before access is judged. */
export interface AudienceMember {
  /** Place of the event among those that were asked about. */
  readonly place: number;
  readonly endpointId: string;
  /** Who must see the event; null: it is an organization's, whose device it is about. */
  readonly userId: string | null;
}

export interface AskedEvent {
  readonly deviceId: string | null;
  readonly userId: string | null;
  readonly type: EventType;
  readonly occurredAt: string;
  readonly receivedAt: string;
}

/** What happened before belongs to an earlier owner, if there was one. */
const isOfPresentOwner = (at: string): string =>
  `(NOT (d.provisioned OR d.owned_since > d.created_at) OR ${at} >= d.owned_since)`;

// SQL: a set-based batch
const ANY = `SELECT EXISTS (SELECT FROM webhook_endpoints WHERE state = 'ENABLED') AS "any"`;

/**
 * The endpoints of those who may be concerned, and of the organization that has the device, of what happened since the present owner
 * has it. Who takes every type is not told of notifications: they tell of what was told already.
 */
// SQL: a set-based batch
const AUDIENCE = `
  WITH asked AS (
    SELECT * FROM unnest(${arrayParam(1, 'uuid')}, ${arrayParam(2, 'uuid')}, ${arrayParam(3, 'text')},
        ${arrayParam(4, 'timestamptz')}, ${arrayParam(5, 'timestamptz')})
      WITH ORDINALITY AS a(device_id, user_id, type, occurred_at, received_at, place)
  ), concerned AS (
    SELECT place, user_id, NULL::uuid AS organization_id FROM (${CONCERNED_PEOPLE}) p
    UNION SELECT a.place, NULL, d.organization_id FROM asked a JOIN devices d ON d.id = a.device_id
      WHERE d.organization_id IS NOT NULL
        AND ${isOfPresentOwner('a.occurred_at')}
  )
  SELECT (c.place - 1)::int AS place, w.id AS "endpointId", w.user_id AS "userId"
  FROM concerned c JOIN asked a USING (place)
  JOIN webhook_endpoints w ON w.user_id = c.user_id OR w.organization_id = c.organization_id
  WHERE w.state = 'ENABLED' AND a.received_at >= w.since
    AND (w.event_types = '{}' AND a.type <> 'notification' OR a.type = ANY(w.event_types))
    AND (w.device_ids = '{}' OR a.device_id = ANY(w.device_ids))
  ORDER BY c.place, w.id`;

// SQL: database time
const IS_OF = `
  SELECT EXISTS (SELECT FROM devices d WHERE d.id = $2 AND d.organization_id = $1
    AND ${isOfPresentOwner('$3::timestamptz')}) AS "isOf"`;

/** Whose endpoints events concern. */
@Injectable()
export class WebhookAudienceRepository {
  constructor(private readonly database: Database) {}

  /** Whether any endpoint is told of anything. */
  async isAny(): Promise<boolean> {
    const [row] = await this.database.query<{ any: boolean }>('webhooks_any', ANY);
    return row?.any ?? false;
  }

  /** In the order of the events. Whether a person sees an event is not judged here. */
  audienceOf(events: readonly AskedEvent[]): Promise<AudienceMember[]> {
    return this.database.query<AudienceMember & Record<string, unknown>>('webhooks_audience', AUDIENCE, [
      events.map(({ deviceId }) => deviceId),
      events.map(({ userId }) => userId),
      events.map(({ type }) => type),
      events.map(({ occurredAt }) => occurredAt),
      events.map(({ receivedAt }) => receivedAt),
    ]);
  }

  /** Whether an organization has a device, and had its owner when something happened. */
  async isOf(organizationId: string, deviceId: string, at: Date): Promise<boolean> {
    const values = [organizationId, deviceId, at];
    const [row] = await this.database.query<{ isOf: boolean }>('webhooks_is_of', IS_OF, values);
    return row?.isOf ?? false;
  }
}
