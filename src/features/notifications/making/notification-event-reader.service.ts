import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { StoredEvent } from '../../../contracts/events.js';
import { DurableReaderRegistry } from '../../../platform/events/durable-reader-registry.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { NotificationMakerService } from './notification-maker.service.js';

/** Most of what the reader of urgent events reads tells of nothing urgent, and takes it no time. */
const READERS = [
  { name: 'notifications_urgent', isUrgent: true, batchSize: 500 },
  { name: 'notifications', isUrgent: false, batchSize: 200 },
] as const;

/**
 * Two durable readers of the log, so that each event is told once, and what is urgent before thousands that are not. They read
 * their own events too, and tell of none.
 */
@Injectable()
export class NotificationEventReaderService implements OnModuleInit {
  constructor(
    private readonly readers: DurableReaderRegistry,
    private readonly maker: NotificationMakerService,
    private readonly transactions: Transactions,
    private readonly signals: SignalBus,
  ) {}

  onModuleInit(): void {
    for (const { name, isUrgent, batchSize } of READERS) {
      this.readers.register({ name, batchSize, apply: (events) => this.apply(events, isUrgent) });
    }
  }

  /** In the transaction that also moves the cursor. */
  private async apply(events: readonly StoredEvent[], isUrgent: boolean): Promise<void> {
    if (await this.maker.makeOf(events, isUrgent)) {
      this.transactions.afterCommit(() => {
        this.signals.publish('notifications_wait', {});
      });
    }
  }
}
