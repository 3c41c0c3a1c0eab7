import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/prisma/database.js';
import type { NotificationChannel, Preferences, Theme } from './preferences.types.js';

/** For people who never chose. */
const DEFAULTS: Preferences = {
  theme: 'system',
  language: 'en',
  notificationChannels: ['in_app', 'email'],
  quietHours: null,
};

const PREFERENCES = {
  theme: true,
  language: true,
  notificationChannels: true,
  quietFrom: true,
  quietUntil: true,
  timeZone: true,
} as const;

// SQL: a lock
const LOCK = 'SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE';

@Injectable()
export class PreferencesRepository {
  constructor(private readonly database: Database) {}

  async get(userId: string): Promise<Preferences> {
    const row = await this.database.prisma((prisma) =>
      prisma.userPreferences.findUnique({ where: { userId }, select: PREFERENCES }),
    );
    return row ? toPreferences(row) : DEFAULTS;
  }

  /** Those of each of these people. */
  async getAll(userIds: readonly string[]): Promise<Map<string, Preferences>> {
    const rows = await this.database.prisma((prisma) =>
      prisma.userPreferences.findMany({
        where: { userId: { in: [...userIds] } },
        select: { userId: true, ...PREFERENCES },
      }),
    );
    const chosen = new Map(rows.map(({ userId, ...row }) => [userId, toPreferences(row)]));
    return new Map(userIds.map((userId) => [userId, chosen.get(userId) ?? DEFAULTS]));
  }

  /** As {@link get}; they stay as they are until the end of the transaction. */
  async getLocked(userId: string): Promise<Preferences> {
    // The row of the account, because there may be none of preferences yet.
    await this.database.query('preferences_lock', LOCK, [userId]);
    return this.get(userId);
  }

  async save(userId: string, { quietHours, notificationChannels, ...rest }: Preferences): Promise<void> {
    const data = {
      ...rest,
      notificationChannels: [...notificationChannels],
      quietFrom: quietHours?.from ?? null,
      quietUntil: quietHours?.until ?? null,
      timeZone: quietHours?.timeZone ?? 'UTC',
    };
    await this.database.prisma((prisma) =>
      prisma.userPreferences.upsert({
        where: { userId },
        create: { userId, ...data },
        update: data,
        select: { userId: true },
      }),
    );
  }
}

interface PreferencesRow {
  readonly theme: string;
  readonly language: string;
  readonly notificationChannels: string[];
  readonly quietFrom: string | null;
  readonly quietUntil: string | null;
  readonly timeZone: string;
}

/** The members were validated before they were saved. */
function toPreferences({ quietFrom, quietUntil, timeZone, ...row }: PreferencesRow): Preferences {
  const isQuiet = quietFrom !== null && quietUntil !== null;
  return {
    theme: row.theme as Theme,
    language: row.language,
    notificationChannels: row.notificationChannels as NotificationChannel[],
    quietHours: isQuiet ? { from: quietFrom, until: quietUntil, timeZone } : null,
  };
}
