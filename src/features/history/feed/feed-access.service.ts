import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { EventType, StoredEvent } from '../../../contracts/events.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { DeviceAccessService, type Visibility } from '../../sharing/access/device-access.service.js';
import { UsersService } from '../../users/users.service.js';
import type { Verdict, Verdicts } from './verdict.types.js';

/** How long an answer is cached. Signals of changed access clear it at once, but may be lost (promise P-06: 2 s). */
const CACHED_MS = 1_500;
const MAX_CACHED = 50_000;

/** A person who would hear of an event. */
export interface Viewing {
  readonly userId: string;
  readonly event: Pick<StoredEvent, 'deviceId' | 'userId' | 'occurredAt'> & {
    readonly type: EventType | 'device_heartbeat';
  };
}

/** An event, and the people who would hear of it, each once. */
export interface HeardEvent {
  readonly event: Viewing['event'];
  readonly listeners: Iterable<string>;
}

/** What was answered, and when it was asked. */
interface Answer extends Visibility {
  readonly askedAt: number;
}

const NOT_SEEN: Visibility = { from: Infinity, organizationId: null };

/**
 * Decides who may see events at the moment they are sent, not when a connection was made. However many people and events
 * it is asked about at once, it takes one statement, and one more where there are alerts for administrators.
 */
@Injectable()
export class FeedAccessService implements OnModuleInit {
  readonly #cached = new LRUCache<string, Answer>({ max: MAX_CACHED, ttl: CACHED_MS, ttlResolution: 0 });
  /** Answers to questions that were asked before access changed are not kept. */
  #changes = 0;

  constructor(
    private readonly access: DeviceAccessService,
    private readonly users: UsersService,
    private readonly signals: SignalBus,
  ) {}

  onModuleInit(): void {
    const clear = (): void => {
      this.#changes += 1;
      this.#cached.clear();
    };
    this.signals.on('device_access_changed', clear);
    this.signals.on('organization_access_changed', clear);
  }

  /** Of each event, who may see it of those who would hear it; in the order of the events. */
  async verdictsOn(heard: readonly HeardEvent[]): Promise<Verdicts[]> {
    const asked = heard.map(({ event, listeners }) => [...listeners].map((userId): Viewing => ({ userId, event })));
    const answers = (await this.judge(asked.flat())).values();
    return asked.map((viewings) => {
      const verdicts = new Map<string, Verdict>();
      viewings.forEach(({ userId }) => {
        const { value } = answers.next();
        if (value) {
          verdicts.set(userId, value);
        }
      });
      return verdicts;
    });
  }

  /** Those of these events that a person may see. */
  async seenBy<E extends Viewing['event']>(userId: string, events: readonly E[]): Promise<E[]> {
    const verdicts = await this.judge(events.map((event) => ({ userId, event })));
    return events.filter((_, index) => verdicts[index]?.maySee);
  }

  /** In the order of the viewings. */
  async judge(viewings: readonly Viewing[]): Promise<Verdict[]> {
    const askedAt = performance.now();
    const [visible, admins] = await Promise.all([this.visibilityOf(viewings), this.adminsOf(viewings)]);
    return viewings.map(({ userId, event }) => {
      if (event.type === 'system_alert') {
        const isAdmin = admins.has(userId);
        return { maySee: isAdmin || userId === event.userId, leaves: isAdmin ? [] : ['role:ADMIN'], askedAt };
      }
      return isJudgedByDevice(event)
        ? verdictOn(event, visible.get(keyOf(userId, event.deviceId)) ?? { ...NOT_SEEN, askedAt })
        : { maySee: userId === event.userId, leaves: [], askedAt };
    });
  }

  private async visibilityOf(viewings: readonly Viewing[]): Promise<ReadonlyMap<string, Answer>> {
    const answers = new Map<string, Answer>();
    const unknown = new Map<string, { userId: string; deviceId: string }>();
    for (const { userId, event } of viewings) {
      if (isJudgedByDevice(event)) {
        const key = keyOf(userId, event.deviceId);
        const known = this.#cached.get(key);
        if (known) {
          answers.set(key, known);
        } else {
          unknown.set(key, { userId, deviceId: event.deviceId });
        }
      }
    }
    const changes = this.#changes;
    const askedAt = performance.now();
    const found = await this.access.visibilityOf([...unknown.values()]);
    [...unknown.keys()].forEach((key, index) => {
      const answer = { ...(found[index] ?? NOT_SEEN), askedAt };
      answers.set(key, answer);
      if (changes === this.#changes) {
        this.#cached.set(key, answer);
      }
    });
    return answers;
  }

  private async adminsOf(viewings: readonly Viewing[]): Promise<ReadonlySet<string>> {
    const asked = viewings.filter(({ event }) => event.type === 'system_alert').map(({ userId }) => userId);
    return asked.length > 0 ? this.users.adminsAmong([...new Set(asked)]) : new Set();
  }
}

function verdictOn(event: Viewing['event'] & { deviceId: string }, { from, organizationId, askedAt }: Answer): Verdict {
  // What a device kept while it was another person's may arrive late.
  const maySee = Date.parse(event.occurredAt) >= from;
  if (from < Infinity) {
    return { maySee, leaves: [], askedAt };
  }
  // Each member of the organization that has a device sees it: who does not is none.
  const ofOrganization = organizationId === null ? [] : [`organization:${organizationId}` as const];
  return { maySee, leaves: [`device:${event.deviceId}`, ...ofOrganization], askedAt };
}

/** Only the last owner of a deleted device learns of the deletion. */
function isJudgedByDevice<E extends Viewing['event']>(event: E): event is E & { deviceId: string } {
  return event.deviceId !== null && event.type !== 'device_deleted';
}

function keyOf(userId: string, deviceId: string): string {
  return `${userId} ${deviceId}`;
}
