import type { EventType, StoredEvent } from '../../../contracts/events.js';
import type { NotificationKind, NotificationValues } from '../notifications.types.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * Who is told. `viewers`: who would see the event in the live feed. `orderer`: who gave the command that it is about. `person`:
 * whose event it is.
 */
export type NotificationRecipients = 'viewers' | 'orderer' | 'person';

/** What an event says, as far as it is told. */
interface Told {
  /** The command, export, share or session that it is about. */
  readonly subjectId?: string;
  /** Whose event it is, where that stands in its payload. */
  readonly userId?: string | undefined;
  readonly values: NotificationValues;
}

/** What the kind of a notification decides. */
export interface KindRule {
  readonly kind: NotificationKind;
  readonly recipients: NotificationRecipients;
  /** It is sent at once: alone, before all others, and in quiet hours. */
  readonly isUrgent: boolean;
  /** Events of the same device, or the same subject, are told by one notification for so long; 0: each by its own. */
  readonly sameForMs: number;
  /** Later, it is not sent any more. */
  readonly usefulForMs: number;
  /** A mail of its own is sent anyway: another one only to who asks for it. */
  readonly hasOwnMail: boolean;
}

interface Rule<T extends EventType> extends Omit<KindRule, 'kind'> {
  readonly type: T;
  readonly applies: (event: StoredEvent<T>) => boolean;
  readonly tell: (event: StoredEvent<T>) => Told;
}

/** An event that people are told of. */
export interface MatchedEvent {
  readonly rule: KindRule;
  readonly event: StoredEvent;
  readonly subjectId: string | null;
  readonly values: NotificationValues;
}

type AnyRule = KindRule & { match(event: StoredEvent): Told | null };

/** The rules of one event type know its payload. */
function rule<T extends EventType>(kind: NotificationKind, { type, applies, tell, ...rest }: Rule<T>): AnyRule {
  const isOfType = (event: StoredEvent): event is StoredEvent & StoredEvent<T> => event.type === type;
  return { kind, ...rest, match: (event) => (isOfType(event) && applies(event) ? tell(event) : null) };
}

const always = (): boolean => true;
const OF_DEVICE = { recipients: 'viewers', hasOwnMail: false } as const;
const OF_COMMAND = { recipients: 'orderer', hasOwnMail: false, isUrgent: false, sameForMs: 0 } as const;
const OF_PERSON = { recipients: 'person', hasOwnMail: true, sameForMs: 0, applies: always } as const;

const WRONG_CODES = /wrong_?code/i;

const RULES: readonly AnyRule[] = [
  rule('device_offline', {
    ...OF_DEVICE,
    type: 'device_disconnected',
    isUrgent: false,
    sameForMs: 15 * MINUTE_MS,
    usefulForMs: DAY_MS,
    applies: ({ payload }) => payload.reason === 'silence' || payload.reason === 'will',
    tell: ({ occurredAt }) => ({ values: { lastSeenAt: occurredAt } }),
  }),
  rule('low_battery', {
    ...OF_DEVICE,
    type: 'low_battery',
    isUrgent: false,
    sameForMs: DAY_MS,
    usefulForMs: 3 * DAY_MS,
    applies: always,
    tell: ({ payload }) => ({ values: { battery: payload.battery ?? null } }),
  }),
  rule('door_forced', {
    ...OF_DEVICE,
    type: 'door_status_changed',
    isUrgent: true,
    sameForMs: MINUTE_MS,
    usefulForMs: HOUR_MS,
    applies: ({ payload }) => payload.doorState === 'forced_open',
    tell: () => ({ values: {} }),
  }),
  rule('door_left_open', {
    ...OF_DEVICE,
    type: 'door_status_changed',
    isUrgent: true,
    sameForMs: 10 * MINUTE_MS,
    usefulForMs: HOUR_MS,
    applies: ({ payload }) => payload.doorState === 'ajar',
    tell: () => ({ values: {} }),
  }),
  rule('wrong_codes', {
    ...OF_DEVICE,
    type: 'error_occurred',
    isUrgent: true,
    sameForMs: 5 * MINUTE_MS,
    usefulForMs: HOUR_MS,
    applies: ({ payload }) => WRONG_CODES.test(payload.errorCode ?? ''),
    tell: () => ({ values: {} }),
  }),
  rule('command_failed', {
    ...OF_COMMAND,
    type: 'command_failed',
    usefulForMs: DAY_MS,
    applies: always,
    tell: ({ payload, commandId }) => ({
      ...subject(commandId),
      values: { command: payload.name, errorCode: payload.errorCode ?? null },
    }),
  }),
  rule('command_unconfirmed', {
    ...OF_COMMAND,
    type: 'command_timed_out',
    usefulForMs: DAY_MS,
    applies: always,
    tell: ({ payload, commandId }) => ({ ...subject(commandId), values: { command: payload.name } }),
  }),
  rule('share_granted', {
    ...OF_PERSON,
    type: 'share_granted',
    isUrgent: false,
    usefulForMs: 7 * DAY_MS,
    // The one of the device tells its owner.
    applies: ({ deviceId }) => deviceId === null,
    tell: ({ payload }) => ({
      subjectId: payload.shareId,
      values: { permission: payload.permission, deviceId: payload.deviceId ?? null },
    }),
  }),
  rule('invitation_received', {
    ...OF_PERSON,
    type: 'invitation_received',
    isUrgent: false,
    usefulForMs: 7 * DAY_MS,
    tell: ({ payload }) => ({
      subjectId: payload.invitationId,
      values: { organizationName: payload.organizationName, role: payload.role },
    }),
  }),
  rule('export_ready', {
    ...OF_PERSON,
    type: 'export_finished',
    isUrgent: false,
    usefulForMs: 7 * DAY_MS,
    tell: ({ payload }) => ({
      subjectId: payload.exportId,
      values: { exportId: payload.exportId, exportType: payload.type, exportState: payload.state },
    }),
  }),
  rule('new_sign_in', {
    ...OF_PERSON,
    type: 'signed_in_anew',
    hasOwnMail: false,
    isUrgent: true,
    usefulForMs: DAY_MS,
    tell: ({ payload }) => ({
      subjectId: payload.sessionId,
      values: { program: payload.client, address: payload.address ?? null },
    }),
  }),
  rule('password_reset', {
    ...OF_PERSON,
    type: 'password_reset',
    isUrgent: true,
    usefulForMs: DAY_MS,
    tell: () => ({ values: {} }),
  }),
  rule('security_alarm', {
    ...OF_DEVICE,
    type: 'system_alert',
    isUrgent: true,
    sameForMs: 10 * MINUTE_MS,
    usefulForMs: DAY_MS,
    applies: always,
    tell: ({ payload: { userId, ...values } }) => ({ ...subject(userId ?? null), userId, values }),
  }),
];

const BY_KIND = new Map(RULES.map((one): [NotificationKind, KindRule] => [one.kind, one]));

/** What decides of a kind; undefined for one of another release. */
export function ruleOf(kind: NotificationKind): KindRule | undefined {
  return BY_KIND.get(kind);
}

/** The events that people are told of, each by one kind. */
export function matchEvents(events: readonly StoredEvent[]): MatchedEvent[] {
  return events.flatMap((event) => {
    for (const one of RULES) {
      const told = one.match(event);
      if (told) {
        const own = told.userId === undefined ? event : { ...event, userId: told.userId };
        return [{ rule: one, event: own, subjectId: told.subjectId ?? null, values: told.values }];
      }
    }
    return [];
  });
}

/** By what notifications are the same; null: it is like no other. */
export function sameness({ rule: { kind, sameForMs }, event, subjectId }: MatchedEvent): string | null {
  return sameForMs === 0 ? null : `${kind}:${event.deviceId ?? subjectId ?? ''}`;
}

function subject(id: string | null): { subjectId?: string } {
  return id === null ? {} : { subjectId: id };
}
