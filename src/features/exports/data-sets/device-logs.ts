import { type DataScope, type DataSet, deviceIds, handedOn, type Literal, timeConditions } from './data-set.types.js';

/** What happened to devices, in the order of the log. Their names are looked up in a constant: a join would have to sort again. */
export const DEVICE_LOGS: DataSet = {
  columns: {
    id: ['value', 'e.id::text'],
    receivedAt: ['time', 'e.received_at'],
    occurredAt: ['time', 'e.occurred_at'],
    type: ['value', 'e.type'],
    source: ['value', 'e.source'],
    deviceId: ['value', 'e.device_id'],
    deviceName: ['text', 'x.names ->> e.device_id::text'],
    actor: ['value', 'e.actor'],
    commandId: ['value', 'e.command_id'],
    correlationId: ['text', 'e.correlation_id'],
    version: ['value', 'e.version'],
    payload: ['json', 'e.payload'],
  },
  from: (scope, literal) => `FROM events e CROSS JOIN (SELECT ${names(scope, literal)} AS names) x
    WHERE ${conditions(scope, literal).join(' AND ')} ORDER BY e.xid, e.id`,
};

function names({ devices }: DataScope, literal: Literal): string {
  return `${literal(JSON.stringify(Object.fromEntries(devices.map(({ id, name }) => [id, name]))))}::jsonb`;
}

function conditions(scope: DataScope, literal: Literal): string[] {
  const [only, ...others] = scope.devices;
  const earlier = handedOn(scope, literal);
  return [
    // Only an equality reads the index of the device in the order of the log.
    only && others.length === 0
      ? `e.device_id = ${literal(only.id)}::uuid`
      : `e.device_id = ANY (${deviceIds(scope, literal)})`,
    `e.xid < ${literal(scope.endXid)}::xid8`,
    ...(scope.eventTypes ? [`e.type = ANY (${literal(`{${scope.eventTypes.join(',')}}`)}::text[])`] : []),
    ...timeConditions('e.received_at', scope, literal),
    ...(earlier
      ? [`NOT EXISTS (SELECT FROM ${earlier} WHERE o.id = e.device_id AND least(e.occurred_at, e.received_at) < o.at)`]
      : []),
  ];
}
