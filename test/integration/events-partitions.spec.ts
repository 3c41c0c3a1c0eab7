import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Queue } from 'bullmq';
import { EventPartitionsJob } from '../../src/platform/events/event-partitions-job.js';
import { EventStore } from '../../src/platform/events/event-store.js';
import { Database } from '../../src/platform/prisma/database.js';
import { JobQueue } from '../../src/platform/queue/job-queue.js';
import { JobRegistry } from '../../src/platform/queue/job-registry.js';
import { MaintenanceProcessor } from '../../src/platform/queue/maintenance.processor.js';
import { JobScheduler } from '../../src/platform/queue/job-scheduler.js';
import { QueueModule } from '../../src/platform/queue/queue.module.js';
import { startEventLog } from '../support/events.fixture.js';
import type { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { emptyRedis } from '../support/redis.js';

const QUEUE_EDGES = [MaintenanceProcessor, JobScheduler];
const DONE = 'mortise_jobs_total{job="make_event_partitions",outcome="done"}';

/** A job that repeats, beside the one under test. */
@Injectable()
class OtherJobs {
  constructor(jobs: JobRegistry) {
    jobs.register('purge_nothing', { queue: 'maintenance', everyMs: 3_600_000 }, () => Promise.resolve());
  }
}

@Injectable()
class SecondPartitions {
  constructor(jobs: JobRegistry) {
    jobs.register('make_event_partitions', { queue: 'maintenance', everyMs: null }, () => Promise.resolve());
  }
}

const REPEATING = ['make_event_partitions', 'purge_nothing'];

describe('maintenance of the event log', () => {
  let database: TestDatabase;
  let redisUrl: string;
  let node: TestApp | undefined;

  beforeEach(async () => {
    database = await createTestDatabase();
    redisUrl = await emptyRedis();
  });

  afterEach(async () => {
    await node?.stop();
    node = undefined;
    await database.drop();
  });

  function start(url = redisUrl): Promise<TestApp> {
    return startEventLog({
      databaseUrl: database.url,
      redisUrl: url,
      modules: [QueueModule],
      edges: [EventPartitionsJob, OtherJobs, ...QUEUE_EDGES],
    });
  }

  async function countPartitions(of: TestApp): Promise<number> {
    const [row] = await of
      .get(Database)
      .query<{ n: number }>(
        'test_partitions',
        "SELECT count(*)::int AS n FROM pg_inherits WHERE inhparent = 'events'::regclass",
      );
    return row?.n ?? 0;
  }

  it('makes missing partitions when a worker boots, and by a job', async () => {
    const before = await startEventLog({ databaseUrl: database.url, redisUrl });
    await before.get(Database).pool.query(`DO $$ BEGIN
      EXECUTE (SELECT format('DROP TABLE %s', max(inhrelid::regclass::text)) FROM pg_inherits
                WHERE inhparent = 'events'::regclass AND inhrelid <> 'events_default'::regclass); END $$`);
    const missing = await countPartitions(before);
    await before.stop();
    node = await start();
    expect(await countPartitions(node)).toBe(missing + 1);
    await eventually('the job ran', async () => (await node?.metric(DONE)) === 1);
    expect(await node.metric('mortise_events_default_rows')).toBe(0);
  });

  it('makes none twice, also when two workers do it at once', async () => {
    const worker = (node = await start());
    const makers = [1, 2, 3].map(() => worker.get(EventStore).makePartitions(8));
    const made = (await Promise.all(makers)).sort();
    expect(made).toEqual([0, 0, 4]);
  });

  it('rings when an event found no partition', async () => {
    const before = await startEventLog({ databaseUrl: database.url, redisUrl });
    await before.get(Database).pool.query(
      `INSERT INTO events (type, source, actor, payload, received_at)
       VALUES ('custom', 'system', 'system', '{}', now() + interval '1 year')`,
    );
    await before.stop();
    node = await start();
    expect(await node.metric('mortise_events_default_rows')).toBe(1);
  });

  it('schedules its jobs again in a Redis that forgot them', async () => {
    node = await start();
    const queue = new Queue('maintenance', { connection: { url: redisUrl } });
    await eventually('the job is scheduled', async () => (await queue.getJobSchedulersCount()) === REPEATING.length);
    await queue.obliterate({ force: true });
    expect(await queue.getJobSchedulersCount()).toBe(0);
    await node.get(JobScheduler).ensure();
    expect(await queue.getJobSchedulersCount()).toBe(REPEATING.length);
    await queue.close();
  });

  it('boots, works and stops in time while Redis is away', async () => {
    const proxy = await FaultProxy.inFrontOf(redisUrl);
    proxy.down();
    const worker = await start(proxy.url);
    expect(await countPartitions(worker)).toBeGreaterThan(4);
    const stopping = performance.now();
    await worker.stop();
    expect(performance.now() - stopping).toBeLessThan(5_000);
    await proxy.close();
  });

  it('stops in time when Redis went away while it worked', async () => {
    const proxy = await FaultProxy.inFrontOf(redisUrl);
    const worker = await start(proxy.url);
    await eventually('the job ran', async () => (await worker.metric(DONE)) === 1);
    proxy.down();
    const started = performance.now();
    await worker.stop();
    expect(performance.now() - started).toBeLessThan(4_000);
    await proxy.close();
  });

  it('refuses to boot when a job has two handlers', async () => {
    const doubled = startEventLog({
      databaseUrl: database.url,
      redisUrl,
      modules: [QueueModule],
      edges: [EventPartitionsJob, SecondPartitions, ...QUEUE_EDGES],
    });
    await expect(doubled).rejects.toThrow('make_event_partitions');
  });

  it('takes no job that has no handler', async () => {
    node = await start();
    await expect(node.get(JobQueue).add('purge_everything', {}, 'id')).rejects.toThrow('purge_everything');
  });
});
