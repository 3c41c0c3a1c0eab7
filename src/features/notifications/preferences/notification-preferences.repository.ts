import { Injectable } from '@nestjs/common';
import { arrayParam } from '../../../platform/prisma/array-param.js';
import { Database } from '../../../platform/prisma/database.js';
import type { ChannelChoice } from './wanted-channels.js';

// SQL: a set-based batch
const CHOICES = `
  SELECT user_id AS "userId", kind, channel, is_enabled AS "isEnabled" FROM notification_preferences
  WHERE user_id = ANY (${arrayParam(1, 'uuid')}) ORDER BY user_id, kind, channel`;

/** What a choice is the default again for has no row. */
// SQL: a set-based batch
const FORGET = `
  DELETE FROM notification_preferences p USING unnest(${arrayParam(2, 'text')}, ${arrayParam(3, 'text')}) AS r(kind, channel)
  WHERE p.user_id = $1 AND p.kind = r.kind AND p.channel = r.channel`;

// SQL: a set-based batch
const CHOOSE = `
  INSERT INTO notification_preferences (user_id, kind, channel, is_enabled)
  SELECT $1, * FROM unnest(${arrayParam(2, 'text')}, ${arrayParam(3, 'text')}, ${arrayParam(4, 'boolean')})
  ON CONFLICT (user_id, kind, channel) DO UPDATE SET is_enabled = EXCLUDED.is_enabled, updated_at = now()
  WHERE notification_preferences.is_enabled <> EXCLUDED.is_enabled`;

/** What people want of single kinds over single channels. */
@Injectable()
export class NotificationPreferencesRepository {
  constructor(private readonly database: Database) {}

  async choicesOf(userIds: readonly string[]): Promise<ReadonlyMap<string, readonly ChannelChoice[]>> {
    const rows = await this.database.query<ChannelChoice & { userId: string } & Record<string, unknown>>(
      'notification_choices',
      CHOICES,
      [userIds],
    );
    return Map.groupBy(rows, ({ userId }) => userId);
  }

  async choose(userId: string, choices: readonly ChannelChoice[]): Promise<void> {
    await this.database.query('notification_choose', CHOOSE, [
      userId,
      choices.map(({ kind }) => kind),
      choices.map(({ channel }) => channel),
      choices.map(({ isEnabled }) => isEnabled),
    ]);
  }

  /** Of these kinds and channels, the person wants what they want of all kinds. */
  async forget(userId: string, choices: readonly Pick<ChannelChoice, 'kind' | 'channel'>[]): Promise<void> {
    await this.database.query('notification_forget', FORGET, [
      userId,
      choices.map(({ kind }) => kind),
      choices.map(({ channel }) => channel),
    ]);
  }
}
