import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import type { EventScope, RoutedEvent, StoredEvent } from '../../../contracts/events.js';
import type { FeedRoom } from '../../../contracts/realtime.js';
import type { EventLog, FeedQuery } from '../../../platform/events/event-log.js';
import type { FeedListener, LiveFeed } from '../../../platform/events/live-feed.js';
import { encodeLogCursor, toPosition } from '../../../platform/events/log-position.js';
import { Metrics } from '../../../platform/metrics/metrics.js';
import type { SignalBus } from '../../../platform/redis/signal-bus.js';
import type { DeviceAccessService } from '../../sharing/access/device-access.service.js';
import type { UsersService } from '../../users/users.service.js';
import { FeedAccessService } from '../../history/feed/feed-access.service.js';
import type { Verdicts } from '../../history/feed/verdict.types.js';
import type { FeedChannel, FeedSubscriber } from './feed-channel.types.js';
import { FeedPublisher } from './feed-publisher.js';
import { FeedReplayService } from './feed-replay.service.js';

let log: RoutedEvent[];
let publish: FeedListener;
let publisher: FeedPublisher;
let replays: FeedReplayService;
/** What happens while a page of the log is read. */
let meanwhile: () => void;
/** Pages that are read now, and at most; and until when. */
let reading: { now: number; most: number; readonly until: Promise<unknown> };

function append(count: number): void {
  for (let index = 0; index < count; index += 1) {
    const id = String(log.length + 1);
    const cursor = encodeLogCursor('1', toPosition(id, id));
    const event = { id, cursor, type: 'motion_detected', userId: 'ada', organizationId: null, deviceId: null };
    log.push(event as unknown as RoutedEvent);
    publish(event as unknown as RoutedEvent);
  }
}

/** A connection that hears what it is sent, and, once it has joined, what its channel delivers. */
class Subscriber implements FeedSubscriber, FeedChannel {
  readonly scope: EventScope;
  readonly isClosed = false;
  readonly heard: string[] = [];
  resyncs = 0;
  #hasJoined = false;

  constructor(userId = 'ada') {
    this.scope = { userId, organizationIds: [], deviceIds: [], types: [] };
  }

  get hasJoined(): boolean {
    return this.#hasJoined;
  }

  send(event: StoredEvent): void {
    this.heard.push(event.id);
  }

  join(): void {
    this.#hasJoined = true;
  }

  resync(): void {
    this.resyncs += 1;
    this.join();
  }

  listenersIn(): string[] {
    return this.#hasJoined ? ['ada'] : [];
  }

  deliver(event: RoutedEvent, _rooms: readonly FeedRoom[], verdicts: Verdicts): void {
    if (this.#hasJoined && verdicts.get(this.scope.userId)?.maySee === true) {
      this.send(event);
    }
  }

  resyncAll(): void {
    this.resyncs += 1;
  }
}

beforeEach(setUp);

function setUp(): void {
  [log, meanwhile] = [[], () => undefined];
  reading = {
    now: 0,
    most: 0,
    get until() {
      return new Promise(setImmediate);
    },
  };
  const logger = { setContext: () => undefined, debug: () => undefined } as unknown as PinoLogger;
  const feed = {
    cursor: null,
    subscribe: (listener: FeedListener) => {
      publish = listener;
      return () => undefined;
    },
  } as unknown as LiveFeed;
  const access = { visibilityOf: () => Promise.resolve([]) } as unknown as DeviceAccessService;
  const authorizer = new FeedAccessService(access, {} as UsersService, {} as SignalBus);
  const pages = {
    feedPage: async ({ after = '', limit }: FeedQuery) => {
      reading.now += 1;
      reading.most = Math.max(reading.most, reading.now);
      const start = log.findIndex(({ cursor }) => cursor === after) + 1;
      const items = log.slice(start, start + limit);
      const page = { items, cursor: items.at(-1)?.cursor ?? after, more: start + limit < log.length };
      meanwhile();
      // What came meanwhile is published when the page is there.
      await reading.until;
      reading.now -= 1;
      return page;
    },
  } as unknown as EventLog;
  publisher = new FeedPublisher(feed, authorizer, logger, new Metrics());
  replays = new FeedReplayService(pages, authorizer, publisher, logger);
}

describe('FeedReplayService', () => {
  it.each([1, 3, 40])('catches up though %i events come while each page is read', async (events) => {
    const subscriber = new Subscriber();
    publisher.open(subscriber);
    append(5);
    meanwhile = () => {
      append(events);
    };
    await replays.replay(subscriber, log[1]?.cursor ?? '');
    append(2);
    await new Promise(setImmediate);
    expect(subscriber.heard).toEqual(log.slice(2).map(({ id }) => id));
    expect(subscriber.resyncs).toBe(0);
  });

  /** Seen to fail: an event that came between the last look at what was missed and the join was sent to nobody. */
  it('misses nothing that comes in any step between the page and the join', async () => {
    for (let steps = 0; steps < 40; steps += 1) {
      log = [];
      const subscriber = new Subscriber();
      publisher.open(subscriber);
      append(2);
      await new Promise(setImmediate);
      meanwhile = () => {
        meanwhile = () => undefined;
        const { until } = reading;
        void (async () => {
          await until;
          for (let step = 0; step < steps; step += 1) {
            await Promise.resolve();
          }
          append(1);
        })();
        reading = { ...reading, until };
      };
      await replays.replay(subscriber, log[0]?.cursor ?? '');
      await new Promise(setImmediate);
      expect([steps, subscriber.heard]).toEqual([steps, ['2', '3']]);
      publisher.onModuleDestroy();
      setUp();
    }
  });

  it('reads the log again when more has come than is kept, and tells who cannot keep up to read the state', async () => {
    const subscriber = new Subscriber();
    publisher.open(subscriber);
    append(2);
    let pages = 0;
    meanwhile = () => {
      pages += 1;
      append(pages === 1 ? 900 : 0);
    };
    await replays.replay(subscriber, log[0]?.cursor ?? '');
    await new Promise(setImmediate);
    expect([pages > 2, subscriber.resyncs]).toEqual([true, 0]);
    expect(subscriber.heard).toEqual(log.slice(1).map(({ id }) => id));

    meanwhile = () => {
      append(900);
    };
    const late = new Subscriber();
    await replays.replay(late, log[0]?.cursor ?? '');
    expect(late.resyncs).toBe(1);
  });

  /** Seen to fail: it went on for as long as events came. */
  it('gives its turn back when more comes with everything that it sends', async () => {
    const ENOUGH = 20_000;
    class Causing extends Subscriber {
      override send(event: StoredEvent): void {
        super.send(event);
        if (!this.hasJoined && log.length < ENOUGH) {
          append(1);
        }
      }
    }
    const subscriber = new Causing();
    publisher.open(subscriber);
    append(5);
    await replays.replay(subscriber, log[1]?.cursor ?? '');
    expect(subscriber.resyncs).toBe(1);
    expect(log.length).toBeLessThan(ENOUGH);
  });

  /** Seen to fail: 101 pages were read at once. */
  it('reads a few pages at a time, and each person in turn', async () => {
    publisher.open(new Subscriber());
    append(1_000);
    const start = log[0]?.cursor ?? '';
    const many = Array.from({ length: 100 }, () => new Subscriber('ada'));
    const replayed = many.map((each) => replays.replay(each, start));
    const other = new Subscriber('grace');
    await replays.replay(other, log[998]?.cursor ?? '');
    expect([other.hasJoined, many.filter(({ hasJoined }) => hasJoined)]).toEqual([true, []]);
    await Promise.all(replayed);
    expect(many.filter(({ hasJoined, resyncs }) => hasJoined && resyncs === 0)).toHaveLength(100);
    expect(reading.most).toBe(8);
  });

  it('tells who had no turn for half a minute to read the state', async () => {
    publisher.open(new Subscriber());
    append(1);
    jest.useFakeTimers();
    const held = Promise.withResolvers<undefined>();
    reading = { now: 0, most: 0, until: held.promise };
    const [first, late] = [Array.from({ length: 8 }, () => new Subscriber()), new Subscriber()];
    const replayed = [...first, late].map((each) => replays.replay(each, ''));
    await jest.advanceTimersByTimeAsync(29_000);
    expect(late.resyncs).toBe(0);
    await jest.advanceTimersByTimeAsync(1_000);
    held.resolve(undefined);
    jest.useRealTimers();
    await Promise.all(replayed);
    expect([late.resyncs, first.map(({ resyncs }) => resyncs)]).toEqual([1, Array.from({ length: 8 }, () => 0)]);
  });
});
