import { Injectable } from '@nestjs/common';
import { Transactions } from '../prisma/transactions.js';
import { type DurableReader } from './durable-reader-registry.js';
import { type LogEntry } from './event-rows.js';
import { EventStore } from './event-store.js';
import { ReaderCursorsRepository } from './reader-cursors.repository.js';

/** One batch of one durable reader: effect and cursor in one transaction. */
@Injectable()
export class ReaderBatchService {
  readonly #known = new Set<string>();

  constructor(
    private readonly store: EventStore,
    private readonly cursors: ReaderCursorsRepository,
    private readonly transactions: Transactions,
  ) {}

  /** @returns the events applied; none when there are none, or when another process holds the reader. */
  async applyNext(reader: DurableReader): Promise<readonly LogEntry[]> {
    if (!this.#known.has(reader.name)) {
      await this.cursors.ensure(reader.name);
      this.#known.add(reader.name);
    }
    const work = await this.cursors.hasWork(reader.name);
    return work ? this.transactions.independently(() => this.applyLocked(reader)) : [];
  }

  private async applyLocked(reader: DurableReader): Promise<readonly LogEntry[]> {
    const position = await this.cursors.lock(reader.name);
    const entries = position ? await this.store.listAfter(position, reader.batchSize) : [];
    const last = entries.at(-1);
    if (last) {
      await reader.apply(entries.map((entry) => entry.event));
      await this.cursors.advance(reader.name, last.position);
    }
    return entries;
  }
}
