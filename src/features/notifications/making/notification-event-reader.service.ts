import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { StoredEvent } from '../../../contracts/events.js';
import { DurableReaderRegistry } from '../../../platform/events/durable-reader-registry.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { NotificationMakerService } from './notification-maker.service.js';

const BATCH = 200;

/** A durable reader of the log, so that each event is told once. It reads its own events too, and tells of none. */
@Injectable()
export class NotificationEventReaderService implements OnModuleInit {
  constructor(
    private readonly readers: DurableReaderRegistry,
    private readonly maker: NotificationMakerService,
    private readonly transactions: Transactions,
    private readonly signals: SignalBus,
  ) {}

  onModuleInit(): void {
    this.readers.register({ name: 'notifications', batchSize: BATCH, apply: (events) => this.apply(events) });
  }

  /** In the transaction that also moves the cursor. */
  private async apply(events: readonly StoredEvent[]): Promise<void> {
    if (await this.maker.makeOf(events)) {
      this.transactions.afterCommit(() => {
        this.signals.publish('notifications_wait', {});
      });
    }
  }
}
