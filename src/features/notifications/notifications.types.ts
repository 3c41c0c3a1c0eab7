/** What people are told of. */
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
