import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../config/app-config.js';
import { type HealthDetails, ReadinessRegistry, UnhealthyError } from '../health/readiness-registry.js';
import { type Gauge, Metrics } from '../metrics/metrics.js';
import { type BackgroundLoop, type StepOutcome } from '../scheduling/background-loop.js';
import { LoopRegistry } from '../scheduling/loop-registry.js';
import { DurableReaderRegistry } from './durable-reader-registry.js';
import { type FeedBlocker, FeedLagRepository } from './feed-lag.repository.js';
import { LiveFeed } from './live-feed.js';
import { LIVE_FEED } from './reader-cursors.repository.js';

const LOOK_EVERY_MS = 2_000;
/** Our own transactions are open for less, as long as all is well. */
const HELD_BACK_S = 5;
const BEHIND_S = 10;

/** What was seen last. Seconds that committed events have been waiting. */
interface FeedState {
  readonly heldBackS: number;
  readonly blocker: FeedBlocker | null;
  /** Those of this process's readers that are behind. */
  readonly behind: Readonly<Record<string, number>>;
}

/**
 * Watches whether committed events get on: how long the oldest one waits for each reader of this process, and whether a
 * transaction that stays open anywhere in the cluster holds all of them back. It ends no such transaction.
 */
@Injectable()
export class FeedHealthService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: BackgroundLoop;
  readonly #heldBack: Gauge;
  readonly #relayLag: Gauge;
  readonly #liveLag: Gauge;
  readonly #readerLag: Gauge<'reader'>;
  readonly #isWorker: boolean;
  #state: FeedState | undefined;

  constructor(
    private readonly lags: FeedLagRepository,
    private readonly readers: DurableReaderRegistry,
    private readonly feed: LiveFeed,
    private readonly readiness: ReadinessRegistry,
    loops: LoopRegistry,
    config: AppConfig,
    metrics: Metrics,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(FeedHealthService.name);
    this.#isWorker = config.roles.includes('worker');
    this.#heldBack = metrics.gauge(
      'mortise_feed_held_back_seconds',
      'How long a committed event has been waiting behind a transaction that is still open.',
    );
    const unread = 'Age of the oldest committed event that is not';
    this.#relayLag = metrics.gauge('mortise_feed_relay_lag_seconds', `${unread} relayed; 0 when none waits.`);
    this.#liveLag = metrics.gauge('mortise_live_feed_lag_seconds', `${unread} delivered here; 0 when none waits.`);
    this.#readerLag = metrics.gauge(
      'mortise_event_reader_lag_seconds',
      `${unread} applied by a durable reader; 0 when none waits.`,
      ['reader'],
    );
    this.#loop = loops.create('feed_lag', () => this.look(), {
      idleFromMs: LOOK_EVERY_MS,
      idleMs: LOOK_EVERY_MS,
      retryMs: LOOK_EVERY_MS,
      onError: (error, failures) => {
        // What was seen is no longer known to be so. That PostgreSQL is away is told elsewhere.
        this.#state = undefined;
        logger[failures === 1 ? 'warn' : 'debug']({ err: error }, 'The lag of the feed is not known');
      },
    });
  }

  onApplicationBootstrap(): void {
    this.readiness.register({ name: 'feed', critical: false, check: () => Promise.resolve().then(() => this.check()) });
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#loop.stop();
  }

  private async look(): Promise<StepOutcome> {
    const behind = await this.measure();
    const heldBackS = await this.lags.findHeldBack();
    const isHeldBack = heldBackS > HELD_BACK_S;
    const blocker = isHeldBack ? await this.lags.findBlocker() : null;
    this.#heldBack.set(heldBackS);
    // One line for each time that it happens.
    if (isHeldBack && (this.#state?.heldBackS ?? 0) <= HELD_BACK_S) {
      this.logger.error({ heldBackS, blocker }, 'A transaction that stays open holds back every feed');
    }
    this.#state = { heldBackS, blocker, behind };
    return 'idle';
  }

  /** Sets the lags, and answers those that are too long. */
  private async measure(): Promise<Readonly<Record<string, number>>> {
    const names = this.#isWorker ? [LIVE_FEED, ...this.readers.list().map(({ name }) => name)] : [];
    const lags = new Map(names.length === 0 ? [] : await this.lags.listReaderLags(names));
    for (const [reader, lag] of lags) {
      if (reader === LIVE_FEED) {
        this.#relayLag.set(lag);
      } else {
        this.#readerLag.set({ reader }, lag);
      }
    }
    const { position } = this.feed;
    if (position) {
      const lag = await this.lags.findLagAfter(position);
      this.#liveLag.set(lag);
      lags.set('dashboards', lag);
    }
    return Object.fromEntries(
      [...lags].flatMap(([name, lag]) => (lag > BEHIND_S ? [[name, Math.round(lag)] as const] : [])),
    );
  }

  /** @throws UnhealthyError */
  private check(): HealthDetails | undefined {
    const { heldBackS, blocker, behind } = this.#state ?? { heldBackS: 0, blocker: null, behind: {} };
    if (heldBackS > HELD_BACK_S) {
      throw new UnhealthyError('a transaction that stays open holds back every feed', {
        waitingSeconds: Math.round(heldBackS),
        ...(blocker && {
          pid: blocker.pid,
          database: blocker.database,
          openSeconds: blocker.ageS === null ? null : Math.round(blocker.ageS),
          preparedTransaction: blocker.prepared,
        }),
      });
    }
    if (Object.keys(behind).length > 0) {
      throw new UnhealthyError('events wait', behind);
    }
    return undefined;
  }
}
