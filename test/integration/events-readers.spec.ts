import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { CountingModule } from '../../src/features/analytics/counting/counting.module.js';
import { EventCountsRepository } from '../../src/features/analytics/counting/event-counts.repository.js';
import { countByQuarter } from '../../src/features/analytics/domain/quarter-counts.js';
import { DurableReaderScheduler } from '../../src/platform/events/durable-reader-scheduler.js';
import { type DurableReader, DurableReaderRegistry } from '../../src/platform/events/durable-reader-registry.js';
import { ReaderBatchService } from '../../src/platform/events/reader-batch.service.js';
import { ClockModule } from '../../src/platform/clock/clock.module.js';
import { Database } from '../../src/platform/prisma/database.js';
import { EventLog } from '../../src/platform/events/event-log.js';
import { numbered, startEventLog, upTo } from '../support/events.fixture.js';
import type { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { emptyRedis } from '../support/redis.js';

/** A reader, and what it needs. */
const ANALYTICS = [ClockModule, CountingModule];

describe('durable readers', () => {
  let database: TestDatabase;
  let redisUrl: string;
  let nodes: TestApp[];

  beforeEach(async () => {
    database = await createTestDatabase();
    redisUrl = await emptyRedis();
    nodes = [];
  });

  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await database.drop();
  });

  async function start(options: { worker: boolean }): Promise<TestApp> {
    const node = await startEventLog({
      databaseUrl: database.url,
      redisUrl,
      modules: ANALYTICS,
      edges: options.worker ? [DurableReaderScheduler] : [],
    });
    nodes.push(node);
    return node;
  }

  /** What readers are given, as what is read forward, ends at the oldest transaction that is open in the whole cluster. */
  async function appendSettled(node: TestApp, deviceId: string, count: number): Promise<void> {
    const log = node.get(EventLog);
    await log.append(upTo(count).map((n) => numbered(n, deviceId)));
    await eventually('the events are settled', async () => {
      const { items } = await log.page({ deviceIds: [deviceId], order: 'asc', limit: count });
      return items.length === count;
    });
  }

  async function counted(node: TestApp, deviceId: string): Promise<number> {
    const rows = await node
      .get(Database)
      .query<{ n: number }>('test_rollups', 'SELECT sum(count)::int AS n FROM event_counts WHERE device_id = $1', [
        deviceId,
      ]);
    return rows[0]?.n ?? 0;
  }

  it('count each event once by quarter of an hour, also with two workers', async () => {
    const node = await start({ worker: true });
    await start({ worker: true });
    const deviceId = randomUUID();
    await Promise.all(
      upTo(20).map((n) => node.get(EventLog).append(upTo(100, n * 100).map((m) => numbered(m, deviceId)))),
    );
    await eventually('all 2000 are counted', async () => (await counted(node, deviceId)) >= 2_000);
    expect(await counted(node, deviceId)).toBe(2_000);
  });

  it('begin at the start of the log, not at the moment they are added', async () => {
    const node = await start({ worker: false });
    const deviceId = randomUUID();
    await node.get(EventLog).append(upTo(3).map((n) => numbered(n, deviceId)));
    await start({ worker: true });
    await eventually('the older events are counted', async () => (await counted(node, deviceId)) === 3);
  });

  it('undo their effect with their cursor, so that a failure half way counts nothing twice', async () => {
    const node = await start({ worker: false });
    const rollups = node.get(EventCountsRepository);
    const deviceId = randomUUID();
    let failures = 2;
    const reader: DurableReader = {
      name: 'fails_half_way',
      batchSize: 10,
      apply: async (events) => {
        await rollups.addCounts(countByQuarter(events));
        if (failures-- > 0) {
          throw new Error('half way');
        }
      },
    };
    await appendSettled(node, deviceId, 15);
    const batches = node.get(ReaderBatchService);
    await expect(batches.applyNext(reader)).rejects.toThrow('half way');
    await expect(batches.applyNext(reader)).rejects.toThrow('half way');
    expect(await counted(node, deviceId)).toBe(0);
    const sizes = [];
    for (let applied = await batches.applyNext(reader); applied.length > 0; applied = await batches.applyNext(reader)) {
      sizes.push(applied.length);
    }
    expect(sizes).toEqual([10, 5]);
    expect(await counted(node, deviceId)).toBe(15);
  });

  it('do not wait for one of them that fails', async () => {
    const node = await start({ worker: false });
    const failing = await startEventLog({
      databaseUrl: database.url,
      redisUrl,
      modules: ANALYTICS,
      edges: [FailingReader, DurableReaderScheduler],
    });
    nodes.push(failing);
    const deviceId = randomUUID();
    await node.get(EventLog).append(numbered(1, deviceId));
    await eventually('the rollup goes on', async () => (await counted(node, deviceId)) === 1);
    const series = 'mortise_event_reader_failures_total{reader="always_fails"}';
    await eventually('the failure is counted', async () => (await failing.metric(series)) > 0);
  });

  it('leave a reader to the process that holds it', async () => {
    const node = await start({ worker: false });
    const deviceId = randomUUID();
    await appendSettled(node, deviceId, 1);
    const batches = node.get(ReaderBatchService);
    let second: readonly unknown[] | undefined;
    const reader: DurableReader = {
      name: 'held',
      batchSize: 10,
      apply: async () => {
        second ??= await batches.applyNext({ ...reader, apply: () => Promise.reject(new Error('applied twice')) });
      },
    };
    expect(await batches.applyNext(reader)).toHaveLength(1);
    expect(second).toEqual([]);
  });

  it('refuse a second reader of the same name', async () => {
    const node = await start({ worker: false });
    const reader = { name: 'event_counts', batchSize: 1, apply: () => Promise.resolve() };
    expect(() => {
      node.get(DurableReaderRegistry).register(reader);
    }).toThrow('event_counts');
  });
});

@Injectable()
class FailingReader {
  constructor(readers: DurableReaderRegistry) {
    readers.register({ name: 'always_fails', batchSize: 1, apply: () => Promise.reject(new Error('never')) });
  }
}
