/**
 * What becomes of events that cannot be sent. Seen to fail: who was about to join, or caught up with the log, was told nothing, and
 * joined behind the events that were dropped.
 */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import type { EventScope, RoutedEvent, StoredEvent } from '../../../contracts/events.js';
import type { FeedListener, LiveFeed } from '../../../platform/events/live-feed.js';
import { encodeLogCursor, toPosition } from '../../../platform/events/log-position.js';
import { Metrics } from '../../../platform/metrics/metrics.js';
import type { FeedAccessService, HeardEvent } from '../../history/feed/feed-access.service.js';
import type { Verdicts } from '../../history/feed/verdict.types.js';
import type { FeedChannel, FeedSubscriber } from './feed-channel.types.js';
import { FeedPublisher } from './feed-publisher.js';

/** From the first try to the twentieth. */
const TRIES_MS = 19 * 500;
const BACKLOG = 10_000;

const scope: EventScope = { userId: 'ada', organizationIds: [], deviceIds: [], types: [] };
const cursorOf = (n: number): string => encodeLogCursor('1', toPosition(String(n), String(n)));

/** A channel with its connections, which hear what it delivers once they have joined. */
class Channel implements FeedChannel {
  readonly joined = new Set<Connection>();

  /** @param tellsAll as sockets are told: whether they have joined or not */
  constructor(
    readonly all: Connection[] = [],
    private readonly tellsAll = false,
  ) {}

  connect(): Connection {
    const connection = new Connection(this);
    this.all.push(connection);
    return connection;
  }

  listenersIn(): readonly string[] {
    return this.joined.size > 0 ? viewers : [];
  }

  deliver({ id }: RoutedEvent): void {
    this.joined.forEach(({ heard }) => heard.push(id));
  }

  resyncAll(cursor: string): void {
    (this.tellsAll ? this.all : [...this.joined]).forEach(({ heard }) => heard.push(`resync ${cursor}`));
  }
}

class Connection implements FeedSubscriber {
  readonly scope = scope;
  readonly isClosed = false;
  readonly heard: string[] = [];

  constructor(private readonly channel: Channel) {}

  send({ id }: StoredEvent): void {
    this.heard.push(id);
  }

  join(): void {
    this.channel.joined.add(this);
  }

  resync(cursor: string | null): void {
    this.join();
    this.heard.push(`resync ${String(cursor)}`);
  }
}

/** Who listens, where somebody does. */
let viewers: readonly string[];
/** The pairs of devices and viewers that each question was about. */
let asked: number[];
let publish: FeedListener;
let publisher: FeedPublisher;
let channels: { readonly sockets: Channel; readonly streams: Channel };
/** How the question about viewers is answered. */
let judge: () => Promise<void>;

beforeEach(() => {
  jest.useFakeTimers();
  [viewers, asked] = [['ada'], []];
  const logger = { setContext: () => undefined, warn: () => undefined, error: () => undefined };
  const feed = {
    cursor: cursorOf(0),
    subscribe: (listener: FeedListener) => {
      publish = listener;
      return () => undefined;
    },
  };
  const authorizer = {
    verdictsOn: async (heard: readonly HeardEvent[]): Promise<Verdicts[]> => {
      const pairs = heard.flatMap(({ event, listeners }) =>
        [...listeners].map((id) => `${id} ${String(event.deviceId)}`),
      );
      asked.push(new Set(pairs).size);
      await judge();
      return heard.map(() => new Map([['ada', { maySee: true, leaves: [], askedAt: 0 }]]));
    },
  };
  judge = () => Promise.resolve();
  publisher = new FeedPublisher(
    feed as unknown as LiveFeed,
    authorizer as unknown as FeedAccessService,
    logger as unknown as PinoLogger,
    new Metrics(),
  );
  channels = { sockets: new Channel([], true), streams: new Channel() };
  Object.values(channels).forEach((channel) => {
    publisher.open(channel);
  });
});

afterEach(() => {
  publisher.onModuleDestroy();
  jest.useRealTimers();
});

function happen(first: number, last = first, deviceId: string | null = null): void {
  for (let n = first; n <= last; n += 1) {
    const event = { id: String(n), cursor: cursorOf(n), type: 'motion_detected', userId: 'ada' };
    publish({ ...event, organizationId: null, deviceId } as unknown as RoutedEvent);
  }
}

/** PostgreSQL answers again after so many questions. */
function failing(times: number): () => Promise<void> {
  let asked = 0;
  return () => {
    asked += 1;
    return asked > times ? Promise.resolve() : Promise.reject(new Error('PostgreSQL is away'));
  };
}

describe.each(['sockets', 'streams'] as const)('On %s, events that cannot be sent', (kind) => {
  it('are dropped when nobody could say for ten seconds who may see them, and all are told', async () => {
    const [listener, ahead] = [channels[kind].connect(), channels[kind].connect()];
    listener.join();
    judge = failing(Infinity);
    happen(1);
    // It has replayed the log before that event, which was not published yet.
    publisher.joinAt(ahead, cursorOf(0));
    happen(2, 3);
    await jest.advanceTimersByTimeAsync(TRIES_MS - 1);
    expect([listener.heard, ahead.heard]).toEqual([[], []]);
    judge = failing(1);
    await jest.advanceTimersByTimeAsync(1);
    happen(4);
    await jest.advanceTimersByTimeAsync(0);
    const heard = [`resync ${cursorOf(1)}`, '2', '3', '4'];
    expect([listener.heard, ahead.heard]).toEqual([heard, heard]);
  });

  it('are dropped when ten thousand wait, with those that are being judged, and what comes then is sent once', async () => {
    const [listener, ahead, late] = [channels[kind].connect(), channels[kind].connect(), channels[kind].connect()];
    listener.join();
    const turn = Promise.withResolvers<undefined>();
    judge = () => turn.promise;
    happen(1);
    publisher.joinAt(ahead, cursorOf(500));
    happen(2, BACKLOG + 1);
    expect([listener.heard, ahead.heard]).toEqual([[], []]);
    const last = BACKLOG + 2;
    happen(last);
    // It reads the log now, to its end.
    publisher.joinAt(late, cursorOf(last));
    judge = () => Promise.resolve();
    turn.resolve(undefined);
    await jest.advanceTimersByTimeAsync(0);
    const told = `resync ${cursorOf(last - 1)}`;
    expect([listener.heard, ahead.heard]).toEqual([
      [told, String(last)],
      [told, String(last)],
    ]);
    happen(last + 1);
    await jest.advanceTimersByTimeAsync(0);
    expect(late.heard.filter((each) => each !== told)).toEqual([String(last + 1)]);
  });

  it('are read from the log by who catches up meanwhile', async () => {
    const absence = publisher.beginAbsence(scope);
    channels[kind].connect().join();
    judge = failing(Infinity);
    happen(1);
    await jest.advanceTimersByTimeAsync(TRIES_MS - 1);
    expect(absence).toMatchObject({ isOverfull: false, missed: [{ id: '1' }] });
    await jest.advanceTimersByTimeAsync(1);
    expect(absence).toMatchObject({ isOverfull: true, missed: [] });
  });
});

/** Seen to fail: one question about 50,000 pairs. */
describe('The question about viewers', () => {
  /** In one step of the feed, so that they wait together: behind a first one that is being judged. */
  async function ask(devices: readonly string[]): Promise<void> {
    const turn = Promise.withResolvers<undefined>();
    judge = () => turn.promise;
    happen(1);
    devices.forEach((deviceId, index) => {
      happen(index + 2, index + 2, deviceId);
    });
    asked = [];
    judge = () => Promise.resolve();
    turn.resolve(undefined);
    await jest.advanceTimersByTimeAsync(0);
  }
  const doors = (count: number): string[] => Array.from({ length: count }, (_, n) => `door ${String(n)}`);

  it('is about five thousand pairs at most, and is asked once for as many events as that are', async () => {
    channels.sockets.connect().join();
    viewers = Array.from({ length: 500 }, (_, n) => `person ${String(n)}`);
    await ask(doors(100));
    expect(asked).toEqual(Array.from({ length: 10 }, () => 5_000));
    // Many events of few devices, or with few viewers, are as before.
    await ask(doors(100).map((_, n) => `door ${String(n % 10)}`));
    expect(asked).toEqual([5_000]);
    viewers = ['ada'];
    await ask(doors(100));
    expect(asked).toEqual([100]);
  });

  it('is asked in one piece about one event, however many hear it', async () => {
    channels.sockets.connect().join();
    viewers = Array.from({ length: 6_000 }, (_, n) => `person ${String(n)}`);
    await ask(doors(3));
    expect(asked).toEqual([6_000, 6_000, 6_000]);
  });
});
