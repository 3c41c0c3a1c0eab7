import { Injectable } from '@nestjs/common';
import type { NewEvent, StoredEvent } from '../../../contracts/events.js';
import { EventLog } from '../../../platform/events/event-log.js';
import { newId } from '../../../shared/ids.js';
import { FeedAccessService } from '../../history/feed/feed-access.service.js';
import { NotificationChannelRegistry } from '../channels/notification-channel-registry.js';
import { type MatchedEvent, matchEvents, sameness } from '../domain/notification-kinds.js';
import { findRepetitions, type HeldNotification } from '../domain/repetition.js';
import { isWanted } from '../preferences/wanted-channels.js';
import type { NotificationChannelName } from '../notifications.types.js';
import {
  EffectivePreferencesService,
  type EffectivePreferences,
} from '../preferences/effective-preferences.service.js';
import { MessagePlacementService } from './message-placement.service.js';
import { NotificationAudienceRepository } from './notification-audience.repository.js';
import { type NewNotification, NotificationOutboxRepository } from './notification-outbox.repository.js';

/** What a person is to be told, and how. */
interface Draft {
  readonly userId: string;
  readonly matched: MatchedEvent;
  readonly dedupKey: string | null;
  readonly sameForMs: number;
  readonly preferences: EffectivePreferences;
  readonly isInApp: boolean;
  readonly channels: readonly NotificationChannelName[];
}

/** Makes notifications of events, for those who may see them and want to be told. */
@Injectable()
export class NotificationMakerService {
  constructor(
    private readonly audience: NotificationAudienceRepository,
    private readonly access: FeedAccessService,
    private readonly preferences: EffectivePreferencesService,
    private readonly channels: NotificationChannelRegistry,
    private readonly outbox: NotificationOutboxRepository,
    private readonly placement: MessagePlacementService,
    private readonly events: EventLog,
  ) {}

  /** Of what is urgent, or of the rest. Part of the surrounding transaction. @returns whether a message waits to be sent */
  async makeOf(events: readonly StoredEvent[], isUrgent: boolean): Promise<boolean> {
    const matched = matchEvents(events).filter(({ rule }) => rule.isUrgent === isUrgent);
    const drafts = matched.length > 0 ? await this.draftsOf(await this.named(matched)) : [];
    if (drafts.length === 0) {
      return false;
    }
    const keyed = drafts.flatMap(({ userId, dedupKey }) => (dedupKey === null ? [] : [{ userId, dedupKey }]));
    const { added, repeated, outdated } = findRepetitions(drafts, await this.heldBy(keyed));
    await this.outbox.outdate(outdated);
    await this.outbox.repeat(
      repeated.map(({ id, count, last }) => ({
        id,
        count,
        lastAt: last.matched.event.occurredAt,
        values: last.matched.values,
      })),
    );
    const notifications = added.map(({ first, last, count }) => ({
      ...toNotification(first, last, count),
      channels: first.channels,
      quietHours: first.preferences.quietHours,
    }));
    await this.outbox.add(notifications);
    const hasMessages = await this.placement.place(notifications);
    await this.events.append(notifications.filter(({ isInApp }) => isInApp).map(toEvent));
    return hasMessages;
  }

  private async draftsOf(matched: readonly MatchedEvent[]): Promise<Draft[]> {
    const asked = matched.map(({ rule, event }) => ({ recipients: rule.recipients, event }));
    const concerned = (await this.audience.audienceOf(asked)).flatMap(({ place, userId }) => {
      const one = matched[place];
      return one ? [{ userId, matched: one }] : [];
    });
    const verdicts = await this.access.judge(concerned.map(({ userId, matched: { event } }) => ({ userId, event })));
    const permitted = concerned.filter((_, index) => verdicts[index]?.maySee);
    const people = permitted.map(({ userId }) => userId);
    const preferences = await this.preferences.of(people);
    const reach = await this.channels.reachOf(people);
    return permitted.flatMap(({ userId, matched: one }) => {
      const theirs = preferences.get(userId);
      const reached = [...reach].filter(([, ids]) => ids.has(userId)).map(([channel]) => channel);
      return theirs ? draftOf(userId, one, theirs, reached) : [];
    });
  }

  /** Without what they may not see any more, such as of a device that was another person's then: that says nothing to them. */
  private async heldBy(keyed: Parameters<NotificationOutboxRepository['held']>[0]): Promise<HeldNotification[]> {
    const held = await this.outbox.held(keyed);
    const verdicts = await this.access.judge(
      held.map(({ userId, deviceId, occurredAt }) => ({
        userId,
        event: { type: 'custom', deviceId, userId, occurredAt: occurredAt.toISOString() },
      })),
    );
    return held.map((one, index) => (verdicts[index]?.maySee ? one : { ...one, ageMs: Infinity }));
  }

  /** With what their devices are called. */
  private async named(matched: readonly MatchedEvent[]): Promise<MatchedEvent[]> {
    const deviceOf = ({ event, values }: MatchedEvent): unknown => event.deviceId ?? values.deviceId;
    const ids = matched.map(deviceOf).filter((id) => typeof id === 'string');
    const names = await this.audience.namesOf([...new Set(ids)]);
    return matched.map((one) => {
      const name = names.get(String(deviceOf(one)));
      return name === undefined ? one : { ...one, values: { ...one.values, deviceName: name } };
    });
  }
}

/** None where the person wants it over no channel by which they can be reached. */
function draftOf(
  userId: string,
  matched: MatchedEvent,
  preferences: EffectivePreferences,
  reached: readonly NotificationChannelName[],
): Draft[] {
  const { kind, sameForMs } = matched.rule;
  const isInApp = isWanted(preferences, kind, 'in_app');
  const channels = reached.filter((channel) => isWanted(preferences, kind, channel));
  if (!isInApp && channels.length === 0) {
    return [];
  }
  return [
    {
      userId,
      matched: seenBy(userId, matched),
      dedupKey: sameness(matched),
      sameForMs,
      preferences,
      isInApp,
      channels,
    },
  ];
}

/** With what is said differently to different people. */
function seenBy(userId: string, matched: MatchedEvent): MatchedEvent {
  const { rule, event, subjectId, values } = matched;
  const isAlarm = rule.kind === 'security_alarm' && subjectId !== null;
  return {
    ...matched,
    values: { ...values, occurredAt: event.occurredAt, ...(isAlarm ? { isOwnAccount: subjectId === userId } : {}) },
  };
}

function toNotification({ userId, matched, dedupKey, isInApp }: Draft, last: Draft, count: number): NewNotification {
  const { rule, event, subjectId } = matched;
  return {
    id: newId(),
    userId,
    kind: rule.kind,
    isUrgent: rule.isUrgent,
    eventType: event.type,
    eventUserId: event.userId,
    deviceId: event.deviceId,
    subjectId,
    values: last.matched.values,
    dedupKey,
    occurrences: count,
    occurredAt: event.occurredAt,
    lastAt: last.matched.event.occurredAt,
    isInApp,
  };
}

function toEvent({ id: notificationId, kind, isUrgent, userId }: NewNotification): NewEvent {
  return {
    type: 'notification',
    payload: { notificationId, kind, isUrgent },
    source: 'system',
    actor: 'system',
    userId,
  };
}
