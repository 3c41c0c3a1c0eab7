import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { type Counter, Metrics } from '../metrics/metrics.js';
import { type TagChange, Transactions } from '../prisma/transactions.js';
import { CacheInvalidationsRepository } from './cache-invalidations.repository.js';
import { CacheStore } from './cache-store.js';

/**
 * Ends cached answers around every transaction that changes what they show. Before COMMIT it opens a mark on the tags, after it and
 * before the answer it takes the mark away. Where Redis takes no mark, the tags are written with the change itself.
 */
@Injectable()
export class CacheInvalidationService implements OnModuleInit {
  readonly #changes: Counter<'told'>;

  constructor(
    private readonly store: CacheStore,
    private readonly repository: CacheInvalidationsRepository,
    private readonly transactions: Transactions,
    private readonly logger: PinoLogger,
    metrics: Metrics,
  ) {
    logger.setContext(CacheInvalidationService.name);
    this.#changes = metrics.counter(
      'mortise_cache_changes_total',
      'Transactions that changed what is cached, by who was told of it: redis, or database where Redis took no mark',
      ['told'],
    );
  }

  onModuleInit(): void {
    this.transactions.onTagChange((tags) => this.announce(tags));
  }

  private async announce(changed: ReadonlySet<string>): Promise<TagChange> {
    const tags = this.store.bounded(changed);
    const mark = await this.store.mark(tags);
    this.#changes.inc({ told: mark === null ? 'database' : 'redis' });
    return {
      ...(mark === null && { last: this.repository.insertion(tags) }),
      settle: (all) => this.settle(tags, all, mark ?? 'none'),
    };
  }

  /** A mark that stays is no harm: until it ends, PostgreSQL answers. */
  private async settle(marked: readonly string[], all: ReadonlySet<string>, mark: string): Promise<void> {
    const tags = this.store.bounded([...marked, ...all]);
    if (tags.length > marked.length && tags.length > 1) {
      this.logger.error({ tags: tags.slice(0, 10) }, 'A statement that COMMIT did not wait for changed what is cached');
    }
    await this.store.release(tags, mark);
  }
}
