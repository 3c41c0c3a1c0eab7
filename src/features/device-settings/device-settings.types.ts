import type { DeviceType } from '../../contracts/devices.js';
import type { SettingValues } from './domain/settings.js';

/** What a device should be set to, and what it said it is set to. */
export interface SettingsRecord {
  readonly deviceId: string;
  readonly desired: SettingValues;
  /** Of `desired`; 0 before the first change. */
  readonly version: number;
  readonly updatedAt: Date | null;
  /** Null before its first report. */
  readonly reported: SettingValues | null;
  readonly reportedVersion: number | null;
  readonly reportedAt: Date | null;
}

/** The same, locked until the transaction ends. */
export interface LockedSettings extends SettingsRecord {
  readonly type: DeviceType;
}

/** A change as a client asks for it. */
export interface SettingsChange {
  /** By names; null takes one away. */
  readonly settings: SettingValues;
  /** That it must have, or else it is a conflict. */
  readonly version?: number | undefined;
  /** Of `If-Match`: one of which it must have. */
  readonly versions?: readonly number[] | undefined;
}

/** What a device confirmed. */
export interface SettingsReport {
  readonly deviceId: string;
  readonly version: number;
  /** Left out: as they were sent. */
  readonly settings?: SettingValues;
}

/** Settings that are to be published, or taken back from the broker. */
export interface OutgoingSettings {
  readonly id: string;
  readonly version: number;
  /** That the broker has, as far as is noted; below 0 once they are to be taken back. */
  readonly publishedVersion: number;
  readonly desired: SettingValues;
  /** The device exists and may talk to us. */
  readonly isWanted: boolean;
}
