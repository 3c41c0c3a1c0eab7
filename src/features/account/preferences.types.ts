/** How a person wants to be shown and told things. */
export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];
export const NOTIFICATION_CHANNELS = ['in_app', 'email', 'push', 'sms'] as const;
export type NotificationChannel = (typeof NOTIFICATION_CHANNELS)[number];

/** A time of day in which nobody wants to be disturbed; it may pass midnight. */
export interface QuietHours {
  /** `HH:MM`. */
  readonly from: string;
  /** `HH:MM`. */
  readonly until: string;
  /** IANA name. */
  readonly timeZone: string;
}

export interface Preferences {
  readonly theme: Theme;
  /** BCP 47. */
  readonly language: string;
  readonly notificationChannels: readonly NotificationChannel[];
  readonly quietHours: QuietHours | null;
}
/** What is missing, or undefined, stays. */
export type PreferenceChanges = { readonly [K in keyof Preferences]?: Preferences[K] | undefined };
