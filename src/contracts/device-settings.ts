import type { DeviceType } from './devices.js';

export const CAPTURE_MODES = ['on_motion', 'continuous', 'manual'] as const;
export type CaptureMode = (typeof CAPTURE_MODES)[number];

/** What a device can be set to; which of it depends on its type. To lock and to unlock is a command, never a setting. */
export interface DeviceSettings {
  /** Milliseconds from an unlock without a duration of its own until the lock locks by itself. Left out, it does not. */
  autoLockTimeoutMs?: number;
  /** From 0, which sees nothing, to 100. */
  motionSensitivity?: number;
  captureMode?: CaptureMode;
  /** Whether the device reports what is only worth a notification. */
  notificationsEnabled?: boolean;
  /** What the maker of the device understands: at most 20 members. */
  custom?: Record<string, string | number | boolean>;
}
export type SettingName = keyof DeviceSettings;

/** How a setting is judged. */
export type SettingRule =
  | { readonly kind: 'number'; readonly min: number; readonly max: number }
  | { readonly kind: 'choice'; readonly values: readonly string[] }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'custom' };

interface KnownSetting {
  /** Of the devices that have it; of all, when it is left out. */
  readonly types?: readonly DeviceType[];
  readonly rule: SettingRule;
}

/** All settings, with the types of devices that have them and what each takes. */
export const KNOWN_SETTINGS: Readonly<Record<SettingName, KnownSetting>> = {
  autoLockTimeoutMs: { types: ['door_lock'], rule: { kind: 'number', min: 1_000, max: 3_600_000 } },
  motionSensitivity: { types: ['camera', 'motion_sensor'], rule: { kind: 'number', min: 0, max: 100 } },
  captureMode: { types: ['camera'], rule: { kind: 'choice', values: CAPTURE_MODES } },
  notificationsEnabled: { rule: { kind: 'boolean' } },
  custom: { rule: { kind: 'custom' } },
};
export const SETTING_NAMES = Object.keys(KNOWN_SETTINGS) as readonly SettingName[];
