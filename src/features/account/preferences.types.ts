export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];
export const NOTIFICATION_CHANNELS = ['in_app', 'email', 'push', 'sms', 'chat'] as const;
export type NotificationChannel = (typeof NOTIFICATION_CHANNELS)[number];

/** The time of day without notifications; it may pass midnight. */
export interface QuietHours {
  /** `HH:MM`. */
  readonly from: string;
  /** `HH:MM`. */
  readonly until: string;
  /** IANA name. */
  readonly timeZone: string;
}

/** How the apps look, and how a person is notified. */
export interface Preferences {
  readonly theme: Theme;
  /** BCP 47. */
  readonly language: string;
  readonly notificationChannels: readonly NotificationChannel[];
  readonly quietHours: QuietHours | null;
}

/** What is missing, or undefined, stays. */
export type PreferenceChanges = { readonly [K in keyof Preferences]?: Preferences[K] | undefined };
