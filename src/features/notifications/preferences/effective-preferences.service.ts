import { Injectable } from '@nestjs/common';
import { PreferencesService } from '../../account/preferences.service.js';
import type { QuietHours } from '../../account/preferences.types.js';
import type { ChannelPreferences } from './wanted-channels.js';
import { NotificationPreferencesRepository } from './notification-preferences.repository.js';

/** What a person wants to be told, when, and in which language. */
export interface EffectivePreferences extends ChannelPreferences {
  readonly quietHours: QuietHours | null;
  /** BCP 47. */
  readonly language: string;
}

/** Puts together what people want of all kinds, and of single ones. */
@Injectable()
export class EffectivePreferencesService {
  constructor(
    private readonly preferences: PreferencesService,
    private readonly choices: NotificationPreferencesRepository,
  ) {}

  /** Of each of these people. */
  async of(userIds: readonly string[]): Promise<ReadonlyMap<string, EffectivePreferences>> {
    const ids = [...new Set(userIds)];
    const [preferences, choices] = await Promise.all([this.preferences.getAll(ids), this.choices.choicesOf(ids)]);
    return new Map(
      [...preferences].map(([userId, { notificationChannels, quietHours, language }]) => [
        userId,
        { channels: notificationChannels, choices: choices.get(userId) ?? [], quietHours, language },
      ]),
    );
  }
}
