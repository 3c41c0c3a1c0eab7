import type { EventSource, EventType } from '../../../contracts/events.js';
import { HORIZON } from '../event-rows.js';
import type { LogPosition } from '../log-position.js';
import type { StatementWriter } from './statement-writer.js';

/** A clock that was set back by no more than this hides nothing from a page that is bounded in time. */
const CLOCK_SLACK = `interval '10 minutes'`;

/** What a page of the log is cut from. Times are those at which we committed the events. */
export interface EventFilter {
  readonly deviceIds?: readonly string[];
  readonly userId?: string;
  readonly types?: readonly EventType[];
  readonly actor?: string;
  readonly source?: EventSource;
  readonly commandId?: string;
  /** Inclusive. */
  readonly from?: Date;
  /** Exclusive. */
  readonly to?: Date;
  /** Inclusive: when they happened, by what tells of them. */
  readonly occurredFrom?: Date;
  /** Words as a person writes them: all of them, `"in a row"`, `this or that`, `-without`. */
  readonly words?: string;
  /** Only what is a person's, of one of these devices, or of a device of these organizations. */
  readonly within?: {
    readonly userId: string;
    readonly deviceIds: readonly string[];
    readonly organizationIds: readonly string[];
  };
  /** Whose events to look through, and of which devices, where that is not said by the above; `log`: all. No event is of two of them. */
  readonly via?: { readonly userIds: readonly string[]; readonly deviceIds: readonly string[] } | 'log';
}

export interface PageBounds {
  readonly after?: LogPosition;
  readonly before?: LogPosition;
  /** In which direction the log is read. */
  readonly order: 'asc' | 'desc';
  /** Only as far as the log is certain to be complete. */
  readonly isComplete: boolean;
  readonly limit: number;
}

/** As in the index `events_words_idx`, which PostgreSQL takes for no other condition. */
export const HAS_WORDS = `(e.type IN ('custom', 'device_registered', 'device_activated', 'device_deleted', 'device_transferred')
    OR e.payload ?| ARRAY['errorCode', 'errorMessage', 'zone'])`;
export const WORDS = 'event_words(e.user_id, e.device_id, e.type, e.payload)';

/** What the sources do not say themselves. */
export function filterConditions(filter: EventFilter, parts: StatementWriter, mode?: 'without words'): string[] {
  const { types, actor, source, from, to, occurredFrom, words, within, deviceIds, userId, commandId, via } = filter;
  const isGiven = via !== undefined || commandId !== undefined;
  const add = (mark: string, value: unknown, sql: (parameter: string) => string): string[] =>
    value === undefined ? [] : [sql(parts.add(mark, value))];
  return [
    ...add('d', isGiven ? deviceIds : undefined, (values) => `e.device_id = ANY(${values}::uuid[])`),
    ...add('u', isGiven || deviceIds ? userId : undefined, (value) => `e.user_id = ${value}::uuid`),
    ...add('t', types, (values) => `e.type = ANY(${values}::text[])`),
    ...add('a', actor, (value) => `e.actor = ${value}::text`),
    ...add('s', source, (value) => `e.source = ${value}::text`),
    ...add('f', from, (value) => `e.received_at >= ${value}::timestamptz`),
    ...add('b', to, (value) => `e.received_at < ${value}::timestamptz`),
    ...add('o', occurredFrom, (value) => `e.occurred_at >= ${value}::timestamptz`),
    ...add('w', mode ? undefined : words, (value) => `${HAS_WORDS} AND ${WORDS} @@ event_query(${value}::text)`),
    ...(within ? [withinCondition(within, parts)] : []),
  ];
}

function withinCondition(
  { userId, deviceIds, organizationIds }: NonNullable<EventFilter['within']>,
  parts: StatementWriter,
): string {
  const [user, devices, organizations] = [
    parts.add('i', userId),
    parts.add('', deviceIds),
    parts.add('', organizationIds),
  ];
  return `(e.user_id = ${user}::uuid OR e.device_id = ANY(${devices}::uuid[])
    OR e.device_id IN (SELECT d.id FROM devices d WHERE d.organization_id = ANY(${organizations}::uuid[])))`;
}

/** Where to begin and to end. Times become places, so that nothing of other times is looked at. */
export function positionConditions(
  { from, to }: EventFilter,
  { after, before, isComplete }: PageBounds,
  parts: StatementWriter,
): string[] {
  return [
    ...sideConditions('>', after, from, parts),
    ...sideConditions('<', before, to, parts),
    ...(isComplete ? [`e.xid < ${HORIZON}`] : []),
  ];
}

/**
 * On each side the narrower of place and time, in one condition: of two, PostgreSQL may begin at the one behind which lies half of the
 * log. What else is of the transaction of the place is filtered.
 */
function sideConditions(
  side: '<' | '>',
  place: LogPosition | undefined,
  time: Date | undefined,
  parts: StatementWriter,
): string[] {
  const pair = place && parts.add(side === '<' ? 'l' : 'n', [String(place.xid), String(place.id)]);
  const [xid, id] = [`(${String(pair)}::text[])[1]::xid8`, `(${String(pair)}::text[])[2]::bigint`];
  if (time === undefined) {
    return pair === undefined ? [] : [`(e.xid, e.id) ${side} (${xid}, ${id})`];
  }
  const [sign, order, narrower] = side === '>' ? ['-', '', 'greatest'] : ['+', 'DESC', 'least'];
  const nearest = `(SELECT n.xid FROM events n WHERE n.received_at ${side} ${parts.add('', time)}::timestamptz ${sign} ${CLOCK_SLACK}
    ORDER BY n.received_at ${order}, n.id ${order} LIMIT 1)`;
  return pair === undefined
    ? [`e.xid ${side}= ${nearest}`]
    : [`e.xid ${side}= ${narrower}(${nearest}, ${xid})`, `(e.xid <> ${xid} OR e.id ${side} ${id})`];
}

export function whereAll(conditions: readonly string[]): string {
  return conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
}
