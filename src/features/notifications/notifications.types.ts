/** What people are told of. The texts of each are in `texts`. */
export const NOTIFICATION_KINDS = [
  'device_offline',
  'low_battery',
  'door_forced',
  'door_left_open',
  'wrong_codes',
  'command_failed',
  'command_unconfirmed',
  'share_granted',
  'invitation_received',
  'export_ready',
  'new_sign_in',
  'password_reset',
  'security_alarm',
] as const;
export type NotificationKind = (typeof NOTIFICATION_KINDS)[number];

/** What a notification tells, as a flat JSON object. The texts do without what is missing. */
export interface NotificationValues {
  /** Of every kind, RFC 3339: when it happened. */
  readonly occurredAt?: string | null;
  /** Of every kind that is about a device: as its owner calls it. */
  readonly deviceName?: string | null;
  /** `device_offline`, RFC 3339. */
  readonly lastSeenAt?: string | null;
  /** `low_battery`, in percent. */
  readonly battery?: number | null;
  /** `command_failed` `command_unconfirmed`: a name of `COMMAND_NAMES`. */
  readonly command?: string | null;
  /** `command_failed`, as the device says it. */
  readonly errorCode?: string | null;
  /** `share_granted`: the display name of the person who shares. */
  readonly grantorName?: string | null;
  /** `share_granted`: one of `DEVICE_PERMISSIONS`. */
  readonly permission?: string | null;
  /** `invitation_received` */
  readonly organizationName?: string | null;
  /** `invitation_received`: the display name of the person who invites. */
  readonly inviterName?: string | null;
  /** `invitation_received`: one of `ORGANIZATION_ROLES`. */
  readonly role?: string | null;
  /** `export_ready` */
  readonly exportId?: string | null;
  /** `export_ready`: one of `EXPORT_TYPES`. */
  readonly exportType?: string | null;
  /** `export_ready`: one of `EXPORT_STATES`; `FAILED` makes another text. */
  readonly exportState?: string | null;
  /** `new_sign_in`: the IP address. */
  readonly address?: string | null;
  /** `new_sign_in`: what `deviceName` of the sessions makes of the user agent, such as `Firefox on Linux`. */
  readonly program?: string | null;
  /** `security_alarm`: how many logins failed. */
  readonly failures?: number | null;
  /** `security_alarm`: within how many seconds. */
  readonly windowSeconds?: number | null;
  /** `security_alarm`: of one account, or of all together. */
  readonly scope?: string | null;
  /** `security_alarm`: the account is that of the person who is told. */
  readonly isOwnAccount?: boolean | null;
  /** `security_alarm`: what was noticed. */
  readonly alert?: string | null;
  /** `share_granted`: the device, where the event names none. */
  readonly deviceId?: string | null;
}

/** Over what messages are sent. `in_app` is none of them: what is told there is a row. */
export const MESSAGE_CHANNELS = ['email', 'push', 'sms', 'chat'] as const;
export type NotificationChannelName = (typeof MESSAGE_CHANNELS)[number];

/**
 * `PENDING`: it waits for its time, or for an attempt. `SENT`: the provider took it. `DELIVERED`: the provider says that it arrived.
 * `SUPPRESSED`: it was not to be sent any more when its time came.
 */
export const MESSAGE_STATES = ['PENDING', 'SENT', 'DELIVERED', 'FAILED', 'SUPPRESSED'] as const;
export type MessageState = (typeof MESSAGE_STATES)[number];

/**
 * Why something was not sent. `not_permitted`: the person may not see it any more. `not_wanted`: they do not want it any more.
 * `blocked`: their account cannot act. `too_late`: it is of no use any more. `no_address`: the channel has none of theirs.
 * `over_budget`: the text messages of the month are used.
 */
export const SUPPRESSIONS = [
  'not_permitted',
  'not_wanted',
  'blocked',
  'too_late',
  'no_address',
  'over_budget',
] as const;
export type Suppression = (typeof SUPPRESSIONS)[number];

/** Why something did not arrive that a provider took. `bounced`: there is no such mailbox. `not_delivered`: it says that it gave up. */
export const REPORTED_FAILURES = ['bounced', 'not_delivered'] as const;
export type ReportedFailure = (typeof REPORTED_FAILURES)[number];

/** Why an address is not mailed any more. */
export const MAIL_SUPPRESSION_REASONS = ['bounced', 'spam_report', 'unsubscribed'] as const;
export type MailSuppressionReason = (typeof MAIL_SUPPRESSION_REASONS)[number];

/** What a person is told of, with what it is about. */
export interface Notification {
  readonly id: string;
  readonly kind: NotificationKind;
  readonly isUrgent: boolean;
  readonly deviceId: string | null;
  readonly subjectId: string | null;
  readonly values: NotificationValues;
  /** Events that it tells of. */
  readonly occurrences: number;
  readonly occurredAt: Date;
  readonly lastAt: Date;
  readonly createdAt: Date;
  readonly readAt: Date | null;
  readonly archivedAt: Date | null;
}

/** A notification on its way over a channel. */
export interface NotificationDelivery {
  readonly channel: NotificationChannelName;
  readonly state: MessageState;
  readonly reason: Suppression | ReportedFailure | null;
  /** Shared by those that are sent as one message. */
  readonly messageId: string;
  readonly attempts: number;
  readonly nextAttemptAt: Date | null;
  readonly lastError: string | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}
