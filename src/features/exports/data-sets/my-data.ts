import { type DataScope, type DataSet, type Literal, timeConditions } from './data-set.types.js';

/** A part of what is kept about a person: rows of a table, with what is shown of each. */
interface Section {
  readonly name: string;
  readonly table: string;
  readonly id: string;
  readonly at: string;
  /** Members of the document. Secrets, and what belongs to others, are not among them. */
  readonly members: readonly string[];
  readonly where: (me: string) => string;
}

const emailOf = (me: string): string => `(SELECT u.email FROM users u WHERE u.id = ${me})`;

const SECTIONS: readonly Section[] = [
  {
    name: 'account',
    table: 'users t',
    id: 't.id',
    at: 't.created_at',
    members: 'email username display_name role last_login_at login_count created_at updated_at'.split(' '),
    where: (me) => `t.id = ${me}`,
  },
  {
    name: 'preferences',
    table: 'user_preferences t',
    id: 't.user_id',
    at: 'NULL::timestamptz',
    members: 'theme language notification_channels quiet_from quiet_until time_zone'.split(' '),
    where: (me) => `t.user_id = ${me}`,
  },
  {
    name: 'session',
    table: 'sessions t',
    id: 't.id',
    at: 't.created_at',
    members: 'created_at last_seen_at expires_at revoked_at revoked_reason remember_me user_agent address'.split(' '),
    where: (me) => `t.user_id = ${me}`,
  },
  {
    name: 'membership',
    table: 'memberships t JOIN organizations o ON o.id = t.organization_id',
    id: 't.organization_id',
    at: 't.created_at',
    members: ['t.role', 'o.name', 't.created_at'],
    where: (me) => `t.user_id = ${me}`,
  },
  {
    name: 'device',
    table: 'devices t',
    id: 't.id',
    at: 't.created_at',
    members:
      'name type hardware_id status room location latitude longitude metadata time_zone owned_since created_at'.split(
        ' ',
      ),
    where: (me) => `t.owner_id = ${me}`,
  },
  {
    name: 'share_received',
    table: 'device_shares t',
    id: 't.id',
    at: 't.created_at',
    members: 'device_id permission valid_from valid_until schedule suspended_at created_at'.split(' '),
    where: (me) => `t.user_id = ${me}`,
  },
  {
    name: 'share_given',
    table: 'device_shares t',
    id: 't.id',
    at: 't.created_at',
    members: 'device_id email permission valid_from valid_until schedule suspended_at created_at'.split(' '),
    where: (me) => `t.granted_by = ${me}`,
  },
  {
    name: 'command',
    table: 'commands t',
    id: 't.id',
    at: 't.created_at',
    members: 'device_id name state created_at finished_at'.split(' '),
    where: (me) => `t.issuer_id = ${me}`,
  },
  {
    name: 'transfer_sent',
    table: 'device_transfers t',
    id: 't.id',
    at: 't.created_at',
    members: 'device_id email expires_at created_at'.split(' '),
    where: (me) => `t.from_id = ${me}`,
  },
  {
    name: 'transfer_received',
    table: 'device_transfers t',
    id: 't.id',
    at: 't.created_at',
    members: 'device_id expires_at created_at'.split(' '),
    where: (me) => `t.email = ${emailOf(me)}`,
  },
  {
    name: 'invitation_sent',
    table: 'invitations t JOIN organizations o ON o.id = t.organization_id',
    id: 't.id',
    at: 't.created_at',
    members: ['o.name', ...'email role expires_at accepted_at created_at'.split(' ')],
    where: (me) => `t.invited_by = ${me}`,
  },
  {
    name: 'invitation_received',
    table: 'invitations t JOIN organizations o ON o.id = t.organization_id',
    id: 't.id',
    at: 't.created_at',
    members: ['o.name', ...'role expires_at accepted_at created_at'.split(' ')],
    where: (me) => `t.email = ${emailOf(me)}`,
  },
  {
    name: 'export',
    table: 'exports t',
    id: 't.id',
    at: 't.created_at',
    members: 'type format request state rows size error_code created_at finished_at expires_at'.split(' '),
    where: (me) => `t.user_id = ${me}`,
  },
  {
    name: 'export_schedule',
    table: 'export_schedules t',
    id: 't.id',
    at: 't.created_at',
    members: 'type format request every at time_zone next_at created_at'.split(' '),
    where: (me) => `t.user_id = ${me}`,
  },
  {
    name: 'webhook',
    table: 'webhook_endpoints t',
    id: 't.id',
    at: 't.created_at',
    members: 'url description event_types device_ids state disabled_reason created_at'.split(' '),
    where: (me) => `t.user_id = ${me}`,
  },
  {
    name: 'webhook_delivery',
    table: 'webhook_deliveries t JOIN webhook_endpoints w ON w.id = t.endpoint_id',
    id: 't.id',
    at: 't.created_at',
    members: 'endpoint_id device_id sequence type state attempts last_status last_error created_at finished_at'.split(
      ' ',
    ),
    where: (me) => `w.user_id = ${me}`,
  },
  {
    name: 'notification',
    table: 'notifications t',
    id: 't.id',
    at: 't.created_at',
    members: 'kind device_id occurrences occurred_at last_at created_at read_at archived_at'.split(' '),
    where: (me) => `t.user_id = ${me}`,
  },
  {
    name: 'notification_message',
    table: 'notification_messages t',
    id: 't.id',
    at: 't.created_at',
    members: 'channel state reason attempts last_error created_at finished_at'.split(' '),
    where: (me) => `t.user_id = ${me}`,
  },
  {
    name: 'notification_phone',
    table: 'notification_phones t',
    id: 't.user_id',
    at: 't.verified_at',
    members: 'masked verified_at stopped_at stop_reason'.split(' '),
    where: (me) => `t.user_id = ${me}`,
  },
  {
    name: 'notification_preference',
    table: 'notification_preferences t',
    id: "t.kind || ' ' || t.channel",
    at: 't.updated_at',
    members: 'kind channel is_enabled updated_at'.split(' '),
    where: (me) => `t.user_id = ${me}`,
  },
  {
    // Where they lead is a secret of the browser or app.
    name: 'push_subscription',
    table: 'push_subscriptions t',
    id: 't.id',
    at: 't.created_at',
    members: 'service ending user_agent created_at last_used_at'.split(' '),
    where: (me) => `t.user_id = ${me}`,
  },
  {
    name: 'chat_hook',
    table: 'chat_hooks t',
    id: 't.hook_id',
    at: 't.created_at',
    members: 'host disabled_reason disabled_at created_at'.split(' '),
    where: (me) => `t.user_id = ${me}`,
  },
  {
    name: 'mail_suppression',
    table: 'mail_suppressions t',
    id: 't.user_id',
    at: 't.reported_at',
    members: 'reason reported_at lifted_at'.split(' '),
    where: (me) => `t.user_id = ${me}`,
  },
  {
    // In the log of their own account alone, or each copy would read the whole log: the rest is among their activity. Payloads may
    // tell of others.
    name: 'event',
    table: 'events t',
    id: 't.id',
    at: 't.received_at',
    members: 'type source device_id command_id occurred_at received_at'.split(' '),
    where: (me) => `t.user_id = ${me} AND t.actor = 'user:' || ${me}::text`,
  },
  {
    name: 'activity',
    table: 'audit_entries t',
    id: 't.id',
    at: 't.at',
    members: 'at action outcome code entity_type entity_id address user_agent'.split(' '),
    where: (me) => `t.actor = 'user:' || ${me}::text`,
  },
];

/** All that is kept about the person, a document in each row. */
export const MY_DATA: DataSet = {
  columns: {
    section: ['value', 'r.section'],
    id: ['value', 'r.id'],
    at: ['time', 'r.at'],
    data: ['json', 'r.data'],
  },
  from: (scope, literal) => `FROM (
    ${SECTIONS.map((section, place) => rowsOf(section, place, scope, literal)).join('\n    UNION ALL ')}
    ) r WHERE ${['true', ...timeConditions('r.at', scope, literal)].join(' AND ')} ORDER BY r.place, r.at, r.id`,
};

function rowsOf(
  { name, table, id, at, members, where }: Section,
  place: number,
  scope: DataScope,
  literal: Literal,
): string {
  const shown = members.map((member) => {
    const column = member.includes('.') ? member : `t.${member}`;
    return `'${camelCase(member)}', ${column}`;
  });
  return `SELECT ${String(place)} AS place, '${name}' AS section, ${id}::text AS id, ${at} AS at,
      jsonb_build_object(${shown.join(', ')}) AS data FROM ${table} WHERE ${where(`${literal(scope.userId)}::uuid`)}`;
}

function camelCase(column: string): string {
  return column.replace(/^\w+\./, '').replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
