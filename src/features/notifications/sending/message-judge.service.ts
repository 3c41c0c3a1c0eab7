import { Injectable } from '@nestjs/common';
import { EVENT_TYPES, type EventType } from '../../../contracts/events.js';
import { FeedAccessService } from '../../history/feed/feed-access.service.js';
import { ruleOf } from '../domain/notification-kinds.js';
import { endOfQuiet } from '../domain/quiet-hours.js';
import { isWanted } from '../preferences/wanted-channels.js';
import type { Suppression } from '../notifications.types.js';
import {
  EffectivePreferencesService,
  type EffectivePreferences,
} from '../preferences/effective-preferences.service.js';
import type { MessageAttempt, MessageItem } from './message-attempts.repository.js';

/** A message as it is judged when its time has come. */
export interface JudgedMessage {
  readonly attempt: MessageAttempt;
  /** What is said. */
  readonly items: readonly MessageItem[];
  /** What is not. */
  readonly leftOut: readonly { readonly item: MessageItem; readonly reason: Suppression }[];
  /** BCP 47. */
  readonly language: string;
  readonly timeZone: string;
  /** How long the quiet hours of the person last; 0: it is sent now. */
  readonly quietForMs: number;
}

/** Decides when messages are sent what may still be said: much may have changed since the events. All of a batch at once. */
@Injectable()
export class MessageJudgeService {
  constructor(
    private readonly access: FeedAccessService,
    private readonly preferences: EffectivePreferencesService,
  ) {}

  /** In the order of the attempts. */
  async judge(attempts: readonly MessageAttempt[]): Promise<JudgedMessage[]> {
    const viewings = attempts.flatMap(({ userId, items, nowMs }) =>
      items.map((item) => ({ userId, event: eventOf(item, nowMs) })),
    );
    const [preferences, judged] = await Promise.all([
      this.preferences.of(attempts.map(({ userId }) => userId)),
      this.access.judge(viewings),
    ]);
    const verdicts = judged.values();
    return attempts.map((attempt) => {
      const theirs = preferences.get(attempt.userId);
      const said = attempt.items.map((item) => {
        const maySee = verdicts.next().value?.maySee === true;
        return { item, reason: reasonAgainst(attempt, item, theirs) ?? (maySee ? null : ('not_permitted' as const)) };
      });
      return {
        attempt,
        items: said.filter(({ reason }) => reason === null).map(({ item }) => item),
        leftOut: said.flatMap(({ item, reason }) => (reason === null ? [] : [{ item, reason }])),
        language: theirs?.language ?? 'en',
        timeZone: theirs?.quietHours?.timeZone ?? 'UTC',
        quietForMs: attempt.isUrgent ? 0 : endOfQuiet(theirs?.quietHours ?? null, attempt.nowMs) - attempt.nowMs,
      };
    });
  }
}

function reasonAgainst(
  { canAct, channel, nowMs }: MessageAttempt,
  { kind, lastAt }: MessageItem,
  preferences: EffectivePreferences | undefined,
): Suppression | null {
  if (!canAct) {
    return 'blocked';
  }
  if (!preferences || !isWanted(preferences, kind, channel)) {
    return 'not_wanted';
  }
  return nowMs - Date.parse(lastAt) > (ruleOf(kind)?.usefulForMs ?? 0) ? 'too_late' : null;
}

/** One of another release may have a type that this one does not know: it is judged by its device, or its person. */
function eventOf(
  { eventType, deviceId, eventUserId: userId, occurredAt, values }: MessageItem,
  nowMs: number,
): {
  type: EventType;
  deviceId: string | null;
  userId: string | null;
  occurredAt: string;
} {
  if (deviceId === null && typeof values.deviceId === 'string') {
    // A share that was told of may have ended.
    return { type: 'custom', deviceId: values.deviceId, userId: null, occurredAt: new Date(nowMs).toISOString() };
  }
  return { type: EVENT_TYPES.find((known) => known === eventType) ?? 'custom', deviceId, userId, occurredAt };
}
