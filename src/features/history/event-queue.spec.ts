import { describe, expect, it, jest } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import type { DevicePublisher } from '../../platform/mqtt/device-publisher.js';
import { SystemClock } from '../../shared/clock.js';
import { advance } from './domain/contiguous.js';
import type { EventIngestService, Ingested } from './event-ingest.service.js';
import { EventQueue } from './event-queue.js';
import type { IncomingEvent } from './history.types.js';

const boot = 'a-boot-id';
const event = (seq: number): IncomingEvent => ({ deviceId: 'd', boot, seq, type: 'custom', data: {} });

/** Storage of one device in memory. */
class FakeIngest implements Pick<EventIngestService, 'store' | 'storeApart'> {
  readonly batches: number[] = [];
  readonly stored: number[] = [];
  failing = false;

  store(batch: readonly IncomingEvent[]): Promise<Ingested> {
    if (this.failing) {
      return Promise.reject(new Error('The database is away.'));
    }
    this.batches.push(batch.length);
    const { accepted, waiting, seq } = advance(this.stored.length, batch);
    this.stored.push(...accepted.map((one) => one.seq));
    return Promise.resolve({ receipts: [{ deviceId: 'd', boot, seq }], waiting });
  }

  storeApart(): Promise<Ingested> {
    return Promise.resolve({ receipts: [], waiting: [] });
  }
}

function build() {
  const ingest = new FakeIngest();
  const publish = jest.fn<DevicePublisher['publish']>(() => Promise.resolve(true));
  const logger = { setContext: jest.fn(), warn: jest.fn() };
  const queue = new EventQueue(
    ingest as unknown as EventIngestService,
    { publish } as unknown as DevicePublisher,
    new SystemClock(),
    logger as unknown as PinoLogger,
  );
  return { ingest, publish, queue };
}

describe('EventQueue', () => {
  it('stores what comes in one turn of the event loop in one batch', async () => {
    const { ingest, queue } = build();
    await Promise.all([1, 2, 3].map((seq) => queue.push([event(seq)])));
    expect(ingest.batches).toEqual([3]);
  });

  it('cuts batches at 500 events', async () => {
    const { ingest, queue } = build();
    const all = Array.from({ length: 1_200 }, (_, index) => event(index + 1));
    await Promise.all(Array.from({ length: 12 }, (_, index) => queue.push(all.slice(index * 100, (index + 1) * 100))));
    expect(ingest.batches).toEqual([500, 500, 200]);
    expect(ingest.stored).toHaveLength(1_200);
  });

  it('waits a moment for an event that was overtaken', async () => {
    const { ingest, queue } = build();
    const late = queue.push([event(2)]);
    const first = new Promise<void>((resolve) => setImmediate(() => void queue.push([event(1)]).then(resolve)));
    await Promise.all([late, first]);
    expect(ingest.stored).toEqual([1, 2]);
  });

  it('gives up on a gap that stays, and says how far it got', async () => {
    const { ingest, publish, queue } = build();
    await queue.push([event(1), event(3)]);
    expect(ingest.stored).toEqual([1]);
    expect(publish).toHaveBeenLastCalledWith('d', 'receipts', { boot, seq: 1 });
  });

  it('sends no receipt for what was not stored, and goes on afterwards', async () => {
    const { ingest, publish, queue } = build();
    ingest.failing = true;
    await queue.push([event(1)]);
    expect(publish).not.toHaveBeenCalled();
    ingest.failing = false;
    await queue.push([event(1)]);
    expect(ingest.stored).toEqual([1]);
  });
});
