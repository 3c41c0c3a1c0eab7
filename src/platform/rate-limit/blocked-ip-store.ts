import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Clock } from '../../shared/clock.js';
import type { Page } from '../../shared/paging.js';
import { InvalidRequestError } from '../http/validation.js';
import { outsideTransaction, Transactions } from '../prisma/transaction.js';
import { Signals } from '../redis/signals.js';
import { type BlockedIp, BlockedIpsRepository } from './blocked-ips.repository.js';

const REFRESH_EVERY_MS = 5_000;
/** Roughly: what can be looked up at all. */
const IS_ADDRESS = /^[\da-f.:/]{2,64}$/;

/**
 * Addresses that are refused before any work. PostgreSQL has the record; each process keeps a copy, so that asking
 * costs nothing, brought up to date by signals and every five seconds.
 */
@Injectable()
export class BlockedIpStore implements OnModuleInit, OnModuleDestroy {
  /** Until when, on this process's own clock. */
  #until = new Map<string, number>();
  /** A refresh that began before this change does not overwrite it. */
  #changes = 0;
  #refreshing = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #subscriptions: (() => void)[] = [];

  constructor(
    private readonly repository: BlockedIpsRepository,
    private readonly transactions: Transactions,
    private readonly signals: Signals,
    private readonly clock: Clock,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(BlockedIpStore.name);
  }

  async onModuleInit(): Promise<void> {
    this.#subscriptions.push(
      this.signals.on('address_blocked', ({ address, forMs }) => {
        this.remember(address, forMs);
      }),
      this.signals.on('address_unblocked', ({ address }) => {
        this.#changes += 1;
        this.#until.delete(address);
      }),
    );
    this.#timer = setInterval(() => void this.refresh(), REFRESH_EVERY_MS);
    await this.refresh();
  }

  onModuleDestroy(): void {
    clearInterval(this.#timer);
    this.#subscriptions.forEach((end) => {
      end();
    });
  }

  /** For how long the address is still blocked; 0 when it is not. */
  remainingMs(ip: string): number {
    const until = this.#until.get(ip);
    return until === undefined ? 0 : Math.max(0, until - this.clock.monotonic());
  }

  /** Refuses an address from now on: here at once, elsewhere with the signal, or at the next refresh. */
  async block(address: string, reason: string, forMs: number): Promise<void> {
    this.remember(address, forMs);
    try {
      await outsideTransaction(() => this.repository.block(address, reason, forMs));
      this.#changes += 1;
      this.signals.publish('address_blocked', { address, forMs });
      this.logger.warn({ address, reason, forMs }, 'Address blocked');
    } catch (error) {
      this.logger.error(
        { address, err: error },
        'A blocked address could not be recorded; only this process refuses it',
      );
    }
  }

  /** Lets an address in again when the surrounding transaction commits. Null when it was not blocked. */
  async lift(address: string): Promise<BlockedIp | null> {
    const lifted = IS_ADDRESS.test(address) ? await this.repository.lift(address) : null;
    this.transactions.afterCommit(() => {
      this.signals.publish('address_unblocked', { address });
    });
    return lifted;
  }

  /**
   * Those that are blocked now, by address.
   * @throws InvalidRequestError for a cursor that is none of ours
   */
  async list({ limit, cursor = '' }: { limit: number; cursor?: string | undefined }): Promise<Page<BlockedIp>> {
    const after = Buffer.from(cursor, 'base64url').toString();
    if (after !== '' && !IS_ADDRESS.test(after)) {
      throw new InvalidRequestError([{ detail: 'cursor must be a nextCursor of this list', pointer: '/cursor' }]);
    }
    return this.repository.listPage({ limit, after });
  }

  /** Takes over what the record says, unless something changed meanwhile: then the next time will do. */
  async refresh(): Promise<void> {
    if (this.#refreshing) {
      return;
    }
    this.#refreshing = true;
    const changes = this.#changes;
    try {
      const live = await outsideTransaction(() => this.repository.listLive());
      if (changes === this.#changes) {
        const now = this.clock.monotonic();
        this.#until = new Map(live.map(({ address, remainingMs }) => [address, now + remainingMs]));
      }
    } catch (error) {
      this.logger.warn({ err: error }, 'The blocked addresses could not be read; the copy stays');
    } finally {
      this.#refreshing = false;
    }
  }

  private remember(ip: string, forMs: number): void {
    this.#changes += 1;
    this.#until.set(ip, this.clock.monotonic() + forMs);
  }
}
