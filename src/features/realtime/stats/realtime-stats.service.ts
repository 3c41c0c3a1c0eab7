import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { LiveFeed } from '../../../platform/events/live-feed.js';
import { OverloadedError } from '../../../platform/http/admission/admission-limiter.js';
import { Metrics } from '../../../platform/metrics/metrics.js';
import { liveRefusals } from '../../../platform/realtime/live-refusals.js';
import { inBackground } from '../../../platform/process/faults.js';
import { Clock } from '../../../shared/clock.js';
import { within } from '../../../shared/deadline.js';
import { DeviceCountsService } from '../../presence/counts/device-counts.service.js';
import { FeedPublisher } from '../feed/feed-publisher.js';
import type { RealtimeStatsDto } from './realtime-stats.dto.js';

const EVERY_MS = 1_000;
const MAX_WATCHERS = 50;
/** An answer is good for so long, whatever number of requests asks. */
const KEPT_MS = 2_000;
/** So long it goes on without anyone who watches: the next request has its answer at once. */
const LINGER_MS = 10_000;
/** What PostgreSQL has not said by then is left out: the rest is told every second all the same. */
const COUNTED_WITHIN_MS = 500;
const REFUSALS = ['rate_limit_refusals', 'shed', 'live_refusals'].map((name) => `mortise_${name}_total`);

/** What has been counted since the process began. */
type Counted = Readonly<Record<keyof RealtimeStatsDto['perSecond'], number>>;

type StatsListener = (stats: RealtimeStatsDto) => void;

/** What is live in this process. It is computed once a second for all who watch, and not at all while there are none. */
@Injectable()
export class RealtimeStatsService implements OnModuleDestroy {
  readonly #watchers = new Set<StatsListener>();
  readonly #refused;
  #before: { readonly counted: Counted; readonly at: number } | undefined;
  #latest: { readonly stats: RealtimeStatsDto; readonly at: number } | undefined;
  #watchedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #isComputing = false;
  #commands = 0;
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly feed: LiveFeed,
    private readonly publisher: FeedPublisher,
    private readonly devices: DeviceCountsService,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
  ) {
    this.#refused = liveRefusals(metrics);
  }

  onModuleDestroy(): void {
    this.#watchers.clear();
    this.rest();
  }

  /** @returns a function that ends it. @throws OverloadedError when so many watch already */
  watch(listener: StatsListener): () => void {
    if (this.#watchers.size >= MAX_WATCHERS) {
      this.#refused('watchers');
      throw new OverloadedError();
    }
    this.#watchers.add(listener);
    this.#watchedAt = this.clock.monotonic();
    if (!this.#timer) {
      this.#unsubscribe = this.feed.subscribe(({ type }) => {
        this.#commands += type === 'command_created' ? 1 : 0;
      }, RealtimeStatsService.name);
      this.#timer = setInterval(() => {
        this.compute();
      }, EVERY_MS).unref();
      this.compute();
    }
    return () => {
      this.#watchers.delete(listener);
      this.#watchedAt = this.clock.monotonic();
    };
  }

  /** Those of this second, or of the next one. @throws OverloadedError */
  async current(): Promise<RealtimeStatsDto> {
    if (this.#latest && this.clock.monotonic() - this.#latest.at < KEPT_MS) {
      this.#watchedAt = this.clock.monotonic();
      return this.#latest.stats;
    }
    let end = (): void => undefined;
    try {
      return await new Promise<RealtimeStatsDto>((resolve) => {
        end = this.watch(resolve);
      });
    } finally {
      end();
    }
  }

  private rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#before = undefined;
    this.#latest = undefined;
    this.#unsubscribe?.();
  }

  private compute(): void {
    if (this.#watchers.size === 0 && this.clock.monotonic() - this.#watchedAt > LINGER_MS) {
      this.rest();
    }
    if (this.#isComputing || !this.#timer) {
      return;
    }
    this.#isComputing = true;
    inBackground(async () => {
      try {
        const stats = await this.read();
        if (stats) {
          this.#latest = { stats, at: this.clock.monotonic() };
          this.#watchers.forEach((listener) => {
            listener(stats);
          });
        }
      } finally {
        this.#isComputing = false;
      }
    });
  }

  /** Null the first time: rates need two. */
  private async read(): Promise<RealtimeStatsDto | null> {
    const [counted, devices, sockets, streams, waiting, lagSeconds] = await Promise.all([
      this.count(),
      within(COUNTED_WITHIN_MS, this.devices.find()).catch(() => undefined),
      ...['dashboard_sockets', 'event_streams', 'event_waiters', 'live_feed_lag_seconds'].map((name) =>
        this.metrics.total(`mortise_${name}`),
      ),
    ] as const);
    const at = this.clock.monotonic();
    const before = this.#before;
    if (!this.#timer) {
      return null;
    }
    this.#before = { counted, at };
    if (!before) {
      return null;
    }
    const rate = (name: keyof Counted): number =>
      Math.round(((counted[name] - before.counted[name]) / Math.max(at - before.at, 1)) * 10_000) / 10;
    return {
      at: new Date(this.clock.now()).toISOString(),
      connections: { sockets: sockets ?? 0, streams: streams ?? 0, waiting: waiting ?? 0 },
      devices: devices ? Object.fromEntries(devices.byKind.map(({ kind, links }) => [kind, links])) : null,
      perSecond: {
        events: rate('events'),
        commands: rate('commands'),
        deliveries: rate('deliveries'),
        heartbeats: rate('heartbeats'),
        refusals: rate('refusals'),
      },
      feed: { lagSeconds: lagSeconds ?? 0, backlog: this.publisher.backlog },
    } as RealtimeStatsDto;
  }

  private async count(): Promise<Counted> {
    const total = (name: string): Promise<number> => this.metrics.total(name);
    const [events, deliveries, ...refusals] = await Promise.all([
      total('mortise_live_feed_events_total'),
      total('mortise_feed_deliveries_total'),
      ...REFUSALS.map(total),
    ]);
    return {
      events,
      deliveries,
      heartbeats: this.devices.writtenHeartbeats,
      commands: this.#commands,
      refusals: refusals.reduce((sum, count) => sum + count, 0),
    };
  }
}
