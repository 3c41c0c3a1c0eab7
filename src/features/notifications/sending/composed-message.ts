import type { ChannelMessage } from '../channels/notification-transport.js';
import { digestOf, textOf } from '../texts/notification-texts.js';
import type { JudgedMessage } from './message-judge.service.js';

/** A message as a channel sends it: of one notification in its own words, of several as a digest. */
export function composed({ attempt, items, language, timeZone }: JudgedMessage, publicUrl: string): ChannelMessage {
  const [first] = items;
  const {
    title,
    text,
    language: spoken,
  } = first && items.length === 1
    ? textOf(language, first.kind, first.values)
    : digestOf(
        language,
        items.map(({ kind, values, lastAt }) => ({ kind, values, at: new Date(lastAt) })),
        timeZone,
      );
  return {
    id: attempt.id,
    userId: attempt.userId,
    title,
    text,
    url: `${publicUrl.replace(/\/+$/, '')}/notifications`,
    isUrgent: attempt.isUrgent,
    kind: first && items.length === 1 ? first.kind : 'digest',
    kinds: [...new Set(items.map(({ kind }) => kind))],
    count: items.length,
    language: spoken,
  };
}
