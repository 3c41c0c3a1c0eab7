import { Injectable } from '@nestjs/common';
import type { StoredEvent } from '../../../contracts/events.js';
import { arrayParam } from '../../../platform/prisma/array-param.js';
import { Database } from '../../../platform/prisma/database.js';
import { CONCERNED_PEOPLE } from '../../history/feed/audience.sql.js';
import { canActSql } from '../../users/account-standing.types.js';
import type { NotificationRecipients } from '../domain/notification-kinds.js';

/** A person whom an event may concern. */
export interface ConcernedPerson {
  /** Place of the event among those that were asked about. */
  readonly place: number;
  readonly userId: string;
}

/** An event that is told to some. */
export interface ToldEvent {
  readonly recipients: NotificationRecipients;
  readonly event: StoredEvent;
}

/** Of viewers, all whom it may concern; otherwise who gave the command, or whose event it is. */
// SQL: a set-based batch
const AUDIENCE = `
  WITH told AS (
    SELECT * FROM unnest(${arrayParam(1, 'uuid')}, ${arrayParam(2, 'uuid')}, ${arrayParam(3, 'text')},
        ${arrayParam(4, 'uuid')}, ${arrayParam(5, 'text')})
      WITH ORDINALITY AS a(device_id, user_id, type, command_id, recipients, place)
  ), asked AS (
    SELECT place, device_id, user_id, type FROM told WHERE recipients = 'viewers'
  ), concerned AS (
    ${CONCERNED_PEOPLE}
    UNION SELECT t.place, c.issuer_id FROM told t JOIN commands c ON c.id = t.command_id WHERE t.recipients = 'orderer'
    UNION SELECT place, user_id FROM told WHERE recipients = 'person'
  )
  SELECT (c.place - 1)::int AS place, c.user_id AS "userId" FROM concerned c JOIN users u ON u.id = c.user_id
  WHERE ${canActSql('u')} ORDER BY c.place, c.user_id`;

/** What devices are called that people are told of. */
// SQL: a set-based batch
const NAMES = `SELECT id, name FROM devices WHERE id = ANY (${arrayParam(1, 'uuid')})`;

/** Whom events may concern, and what their devices are called. */
@Injectable()
export class NotificationAudienceRepository {
  constructor(private readonly database: Database) {}

  /** Who can act, in the order of the events. Whether a person sees an event is not judged here. */
  audienceOf(events: readonly ToldEvent[]): Promise<ConcernedPerson[]> {
    return this.database.query<ConcernedPerson & Record<string, unknown>>('notifications_audience', AUDIENCE, [
      events.map(({ event }) => event.deviceId),
      events.map(({ event }) => event.userId),
      events.map(({ event }) => event.type),
      events.map(({ event }) => event.commandId),
      events.map(({ recipients }) => recipients),
    ]);
  }

  async namesOf(deviceIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const rows = await this.database.query<{ id: string; name: string }>('notifications_devices', NAMES, [deviceIds]);
    return new Map(rows.map(({ id, name }) => [id, name]));
  }
}
