/**
 * What a request that waits for events costs. Seen to fail: 151 reads in thirty seconds, and a client that hung up kept its place for
 * the rest of them.
 */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { RoutedEvent } from '../../../contracts/events.js';
import type { Principal } from '../../../platform/auth/principal.js';
import type { EventLog } from '../../../platform/events/event-log.js';
import type { LiveFeed } from '../../../platform/events/live-feed.js';
import { Metrics } from '../../../platform/metrics/metrics.js';
import type { FeedAccessService } from '../feed/feed-access.service.js';
import type { FeedScopeService } from '../feed/feed-scope.service.js';
import { EventPageService } from './event-page.service.js';
import { EventWaiters } from './event-waiters.js';

let waiters: EventWaiters;
let pages: EventPageService;
let reads: number;
let metrics: Metrics;
/** Publishes an event. */
let happen: (event: RoutedEvent) => void;

beforeEach(() => {
  jest.useFakeTimers();
  [reads, metrics] = [0, new Metrics()];
  const feed = {
    subscribe: (listener: typeof happen) => {
      happen = listener;
      return () => undefined;
    },
  };
  waiters = new EventWaiters(feed as unknown as LiveFeed, metrics);
  waiters.start();
  const log = {
    feedPage: () => {
      reads += 1;
      return Promise.resolve({ items: [], cursor: String(reads), more: false });
    },
  };
  const scopes = {
    scopeOf: ({ userId }: Principal) => Promise.resolve({ userId, organizationIds: [], deviceIds: [], types: [] }),
  };
  pages = new EventPageService(
    log as unknown as EventLog,
    scopes as unknown as FeedScopeService,
    { seenBy: () => Promise.resolve([]) } as unknown as FeedAccessService,
    waiters,
    { endOf: () => Promise.resolve(null) },
  );
});

afterEach(() => {
  jest.useRealTimers();
});

function ask(userId = 'ada', gone = new AbortController().signal): ReturnType<EventPageService['page']> {
  const wish = { after: '0', limit: 10, deviceIds: [], waitMs: 30_000, gone };
  return pages.page({ userId, sessionId: 's' } as unknown as Principal, wish);
}

const waiting = async (): Promise<number> => metrics.total('mortise_event_waiters');

describe('A request that waits for events', () => {
  it('looks less and less often where nothing of what happens is for it', async () => {
    const answer = ask();
    for (let ms = 0; ms < 30_000; ms += 50) {
      happen({ userId: 'ada', deviceId: null, organizationId: null } as RoutedEvent);
      await jest.advanceTimersByTimeAsync(50);
    }
    expect(await answer).toMatchObject({ items: [] });
    expect(reads).toBeGreaterThan(10);
    expect(reads).toBeLessThan(22);
  });

  it.each(['waits', 'rests'])('is over when its client hangs up while it %s, and reads nothing more', async (what) => {
    const client = new AbortController();
    const answer = ask('ada', client.signal);
    await jest.advanceTimersByTimeAsync(0);
    if (what === 'rests') {
      happen({ userId: 'ada', deviceId: null, organizationId: null } as RoutedEvent);
      await jest.advanceTimersByTimeAsync(0);
    }
    const before = reads;
    expect(await waiting()).toBe(1);
    client.abort();
    await answer;
    expect([await waiting(), reads]).toEqual([0, before]);
  });

  it('is answered at once when the process stops', async () => {
    const answer = ask();
    await jest.advanceTimersByTimeAsync(0);
    waiters.stop();
    expect(await answer).toMatchObject({ items: [] });
    expect(await ask('grace')).toMatchObject({ items: [] });
  });

  it('is one of twenty of a person, and of two thousand', async () => {
    const client = new AbortController();
    const answers = Array.from({ length: 20 }, () => ask('ada', client.signal));
    await jest.advanceTimersByTimeAsync(0);
    await expect(ask()).rejects.toMatchObject({ code: 'too_many_waiting' });
    for (let person = 1; person < 100; person += 1) {
      answers.push(...Array.from({ length: 20 }, () => ask(String(person), client.signal)));
    }
    await jest.advanceTimersByTimeAsync(0);
    expect(await waiting()).toBe(2_000);
    await expect(ask('grace')).rejects.toMatchObject({ code: 'busy' });
    client.abort();
    await Promise.all(answers);
    expect(await waiting()).toBe(0);
  });
});
