import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/prisma/database.js';
import type { NotificationChannel, Preferences, Theme } from './preferences.types.js';

interface PreferencesRow {
  theme: Theme;
  language: string;
  notification_channels: NotificationChannel[];
  quiet_from: string | null;
  quiet_until: string | null;
  time_zone: string;
}

/** What holds for people who never chose. */
const DEFAULTS: Preferences = {
  theme: 'system',
  language: 'en',
  notificationChannels: ['in_app', 'email'],
  quietHours: null,
};

@Injectable()
export class PreferencesRepository {
  constructor(private readonly database: Database) {}

  async get(userId: string): Promise<Preferences> {
    const [row] = await this.database.query<PreferencesRow>(
      'preferences_get',
      `SELECT theme, language, notification_channels, quiet_from, quiet_until, time_zone
       FROM user_preferences WHERE user_id = $1`,
      [userId],
    );
    return row ? toPreferences(row) : DEFAULTS;
  }

  /** As {@link get}; nobody else changes them until the end of the transaction. */
  async getLocked(userId: string): Promise<Preferences> {
    await this.database.query('preferences_lock', 'SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE', [userId]);
    return this.get(userId);
  }

  async save(userId: string, preferences: Preferences): Promise<void> {
    const { theme, language, notificationChannels, quietHours } = preferences;
    await this.database.query(
      'preferences_save',
      `INSERT INTO user_preferences
         (user_id, theme, language, notification_channels, quiet_from, quiet_until, time_zone, updated_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, now())
       ON CONFLICT (user_id) DO UPDATE SET theme = $2, language = $3, notification_channels = $4, quiet_from = $5,
         quiet_until = $6, time_zone = $7, updated_at = now()`,
      [
        userId,
        theme,
        language,
        notificationChannels,
        quietHours?.from ?? null,
        quietHours?.until ?? null,
        quietHours?.timeZone ?? 'UTC',
      ],
    );
  }
}

function toPreferences(row: PreferencesRow): Preferences {
  const { theme, language, notification_channels, quiet_from, quiet_until, time_zone } = row;
  const quiet = quiet_from !== null && quiet_until !== null;
  return {
    theme,
    language,
    notificationChannels: notification_channels,
    quietHours: quiet ? { from: quiet_from, until: quiet_until, timeZone: time_zone } : null,
  };
}
