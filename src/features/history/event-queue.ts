import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DevicePublisher } from '../../platform/mqtt/device-publisher.js';
import { outsideTransaction } from '../../platform/prisma/transaction.js';
import { Clock } from '../../shared/clock.js';
import { EventIngestService, type Ingested } from './event-ingest.service.js';
import type { IncomingEvent } from './history.types.js';

const MAX_BATCH = 500;
/** Two hardware processes share the messages of a device: the one before may be in the other's hands still. */
const GAP_PATIENCE_MS = 300;
const GAP_LOOK_EVERY_MS = 30;

interface Waiting {
  readonly events: readonly IncomingEvent[];
  readonly heardAt: number;
  readonly done: () => void;
}

/**
 * Collects device events into batches: one transaction at a time, and whatever came in meanwhile is the next one. Its
 * callers wait until their events are settled, so the length of the queue is bounded by the messages in hand.
 */
@Injectable()
export class EventQueue {
  readonly #queue: Waiting[] = [];
  #running = false;

  constructor(
    private readonly ingest: EventIngestService,
    private readonly publisher: DevicePublisher,
    private readonly clock: Clock,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(EventQueue.name);
  }

  /** Resolves when the events are stored and receipted, or left to be sent again. */
  push(events: readonly IncomingEvent[]): Promise<void> {
    return new Promise((done) => {
      this.#queue.push({ events, heardAt: this.clock.monotonic(), done });
      this.start();
    });
  }

  private start(): void {
    if (!this.#running) {
      this.#running = true;
      // After this turn of the event loop: what came in one read of the socket goes into one transaction.
      setImmediate(() => {
        void outsideTransaction(() => this.run());
      });
    }
  }

  private async run(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.takeBatch();
      const outcome = await this.store(batch.flatMap(({ events }) => events));
      this.acknowledge(outcome);
      this.settle(batch, outcome);
    }
    this.#running = false;
  }

  private takeBatch(): Waiting[] {
    let size = 0;
    const index = this.#queue.findIndex(({ events }) => (size += events.length) > MAX_BATCH);
    return this.#queue.splice(0, index === -1 ? this.#queue.length : Math.max(index, 1));
  }

  private async store(events: readonly IncomingEvent[]): Promise<Ingested> {
    try {
      return await this.ingest.store(events);
    } catch (error) {
      this.logger.warn({ err: error, events: events.length }, 'A batch of events failed; trying device by device');
      return this.ingest.storeApart(events);
    }
  }

  /** Only what is committed. A receipt that does not get through is sent again when the device repeats itself. */
  private acknowledge({ receipts }: Ingested): void {
    for (const { deviceId, boot, seq } of receipts) {
      void this.publisher.publish(deviceId, 'receipts', { boot, seq });
    }
  }

  private settle(batch: readonly Waiting[], { waiting }: Ingested): void {
    const beyondGap = new Set(waiting);
    for (const { events, heardAt, done } of batch) {
      const left = events.filter((event) => beyondGap.has(event));
      if (left.length > 0 && this.clock.monotonic() - heardAt < GAP_PATIENCE_MS) {
        setTimeout(() => {
          this.#queue.push({ events: left, heardAt, done });
          this.start();
        }, GAP_LOOK_EVERY_MS);
      } else {
        done();
      }
    }
  }
}
