import type { ChannelMessage } from '../channels/notification-transport.js';
import { digestOf, textOf } from '../texts/notification-texts.js';
import { ruleOf } from '../domain/notification-kinds.js';
import type { MessageItem } from './message-attempts.repository.js';
import type { JudgedMessage } from './message-judge.service.js';

/** A message as a channel sends it: of one notification in its own words, of several as a digest. */
export function composed({ attempt, items, language, timeZone }: JudgedMessage, publicUrl: string): ChannelMessage {
  const [first] = items;
  const alone = items.length === 1 ? first : undefined;
  const {
    title,
    text,
    language: spoken,
  } = alone
    ? textOf(language, alone.kind, alone.values, timeZone)
    : digestOf(
        language,
        items.map(({ kind, values, lastAt }) => ({ kind, values, at: new Date(lastAt) })),
        timeZone,
      );
  const kind = alone?.kind ?? 'digest';
  return {
    id: attempt.id,
    userId: attempt.userId,
    title,
    text,
    url: `${publicUrl.replace(/\/+$/, '')}/notifications`,
    isUrgent: attempt.isUrgent,
    kind,
    kinds: [...new Set(items.map(({ kind: each }) => each))],
    count: items.length,
    data: { kind, ...(alone ? { notificationId: alone.id } : {}), ...deviceOf(alone) },
    usefulForMs: Math.max(...items.map((item) => usefulForMs(item, attempt.nowMs))),
    language: spoken,
    failures: attempt.failures,
  };
}

function deviceOf(item: MessageItem | undefined): { deviceId?: string } {
  return item && item.deviceId !== null ? { deviceId: item.deviceId } : {};
}

function usefulForMs({ kind, lastAt }: MessageItem, nowMs: number): number {
  return Math.max(0, Date.parse(lastAt) + (ruleOf(kind)?.usefulForMs ?? 0) - nowMs);
}
