import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Clock } from '../../shared/clock.js';
import { decodeCursor, InvalidCursorError } from '../../shared/cursor.js';
import type { Page } from '../../shared/paging.js';
import { parseNetworkKey } from '../http/client-address.js';
import { InvalidRequestError } from '../http/validation/validation.js';
import { outsideTransaction, Transactions } from '../prisma/transactions.js';
import { SignalBus } from '../redis/signal-bus.js';
import { type BackgroundLoop } from '../scheduling/background-loop.js';
import { LoopRegistry } from '../scheduling/loop-registry.js';
import { type BlockedIp, BLOCKED_IPS_LIST, BlockedIpsRepository } from './blocked-ips.repository.js';

const REFRESH_EVERY_MS = 5_000;
const RETRY_MS = 5_000;
/** Looser than an IP or a network: it keeps other text away from the database. */
const IP_PATTERN = /^[\da-f.:/]{2,64}$/;

/**
 * The IPs that are refused before any other work. PostgreSQL is the system of record; each process keeps a copy in
 * memory, which signals and a refresh every five seconds keep up to date.
 */
@Injectable()
export class BlockedIpStore implements OnModuleInit, OnModuleDestroy {
  /** Until when, on this process's own clock. */
  #until = new Map<string, number>();
  /** Counts changes: a refresh that began before the latest one is discarded, because it may not contain it. */
  #changes = 0;
  readonly #loop: BackgroundLoop;
  readonly #warn: (error: unknown) => void;
  readonly #subscriptions: (() => void)[] = [];

  constructor(
    private readonly repository: BlockedIpsRepository,
    private readonly transactions: Transactions,
    private readonly signals: SignalBus,
    private readonly clock: Clock,
    loops: LoopRegistry,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(BlockedIpStore.name);
    this.#warn = (error) => {
      logger.warn({ err: error }, 'The blocked IPs could not be read; the copy stays');
    };
    this.#loop = loops.create('blocked_ips', () => this.load().then(() => 'idle'), {
      idleFromMs: REFRESH_EVERY_MS,
      idleMs: REFRESH_EVERY_MS,
      retryMs: RETRY_MS,
      onError: this.#warn,
    });
  }

  async onModuleInit(): Promise<void> {
    this.#subscriptions.push(
      this.signals.on('address_blocked', ({ address: ip, forMs }) => {
        this.remember(ip, forMs);
      }),
      this.signals.on('address_unblocked', ({ address: ip }) => {
        this.#changes += 1;
        this.#until.delete(ip);
      }),
    );
    // Before this process serves anyone; without PostgreSQL it begins with an empty copy.
    await this.refresh();
    this.#loop.start();
  }

  async onModuleDestroy(): Promise<void> {
    this.#subscriptions.forEach((end) => {
      end();
    });
    await this.#loop.stop();
  }

  /** How long the IP is still blocked, in milliseconds; 0 when it is not. */
  remainingMs(ip: string): number {
    const until = this.#until.get(ip);
    return until === undefined ? 0 : Math.max(0, until - this.clock.monotonic());
  }

  /** Blocks an IP: in this process at once, in others with the signal or at their next refresh. */
  async block(ip: string, reason: string, forMs: number): Promise<void> {
    this.remember(ip, forMs);
    try {
      await outsideTransaction(() => this.repository.block(ip, reason, forMs));
      this.#changes += 1;
      this.signals.publish('address_blocked', { address: ip, forMs });
      this.logger.warn({ address: ip, reason, forMs }, 'IP blocked');
    } catch (error) {
      this.logger.error({ address: ip, err: error }, 'A blocked IP could not be stored; only this process refuses it');
    }
  }

  /** Unblocks an IP, in whatever spelling, when the surrounding transaction commits. @returns null when it was not blocked */
  async lift(text: string): Promise<BlockedIp | null> {
    const ip = parseNetworkKey(text);
    if (ip === null) {
      return null;
    }
    const lifted = await this.repository.lift(ip);
    this.transactions.afterCommit(() => {
      this.signals.publish('address_unblocked', { address: ip });
    });
    return lifted;
  }

  /**
   * The IPs that are blocked now, in their order.
   * @throws InvalidRequestError for a cursor that is not of this list
   */
  async list({ limit, cursor }: { limit: number; cursor?: string | undefined }): Promise<Page<BlockedIp>> {
    return this.repository.listPage({ limit, after: lastListed(cursor) });
  }

  /** Replaces the copy by what PostgreSQL has. It stays when that does not answer. */
  async refresh(): Promise<void> {
    await this.load().catch(this.#warn);
  }

  /** Discarded when an IP was blocked or unblocked meanwhile, or another look began. */
  private async load(): Promise<void> {
    const changes = ++this.#changes;
    const live = await outsideTransaction(() => this.repository.listLive());
    if (changes === this.#changes) {
      const now = this.clock.monotonic();
      this.#until = new Map(live.map(({ ip, remainingMs }) => [ip, now + remainingMs]));
    }
  }

  private remember(ip: string, forMs: number): void {
    this.#changes += 1;
    this.#until.set(ip, this.clock.monotonic() + forMs);
  }
}

function lastListed(cursor: string | undefined): string {
  try {
    const [last] = decodeCursor(BLOCKED_IPS_LIST, cursor, [(text) => IP_PATTERN.test(text)]) ?? [''];
    return last;
  } catch (error) {
    // Clients of this list know this code.
    throw error instanceof InvalidCursorError ? new InvalidRequestError(error.errors) : error;
  }
}
