import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Queue } from 'bullmq';
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
const DONE = 'mortise_jobs_total{job="purge_nothing",outcome="done"}';

@Injectable()
class RepeatingJob {
  constructor(jobs: JobRegistry) {
    jobs.register('purge_nothing', { queue: 'maintenance', everyMs: 3_600_000 }, () => Promise.resolve());
  }
}

@Injectable()
class SecondHandler {
  constructor(jobs: JobRegistry) {
    jobs.register('purge_nothing', { queue: 'maintenance', everyMs: null }, () => Promise.resolve());
  }
}

describe('the maintenance jobs', () => {
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
      edges: [RepeatingJob, ...QUEUE_EDGES],
    });
  }

  it('schedules its jobs again in a Redis that forgot them', async () => {
    node = await start();
    const queue = new Queue('maintenance', { connection: { url: redisUrl } });
    await eventually('the job is scheduled', async () => (await queue.getJobSchedulersCount()) === 1);
    await queue.obliterate({ force: true });
    expect(await queue.getJobSchedulersCount()).toBe(0);
    await node.get(JobScheduler).ensure();
    expect(await queue.getJobSchedulersCount()).toBe(1);
    await queue.close();
  });

  it('boots, works and stops in time while Redis is away', async () => {
    const proxy = await FaultProxy.inFrontOf(redisUrl);
    proxy.down();
    const worker = await start(proxy.url);
    const stopping = performance.now();
    await worker.stop();
    expect(performance.now() - stopping).toBeLessThan(5_000);
    await proxy.close();
  });

  // After a while its clients pause for a second between their attempts.
  it.each([
    ['went away while it worked', 'down', 0],
    ['went away three seconds ago', 'down', 3_000],
    ['is silent', 'silence', 0],
  ] as const)('stops in time when Redis %s', async (_name, fault, agoMs) => {
    const proxy = await FaultProxy.inFrontOf(redisUrl);
    const worker = await start(proxy.url);
    await eventually('the job ran', async () => (await worker.metric(DONE)) === 1);
    proxy[fault]();
    await delay(agoMs);
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
      edges: [RepeatingJob, SecondHandler, ...QUEUE_EDGES],
    });
    await expect(doubled).rejects.toThrow('purge_nothing');
  });

  it('takes no job that has no handler', async () => {
    node = await start();
    await expect(node.get(JobQueue).add('purge_everything', {}, 'id')).rejects.toThrow('purge_everything');
  });
});
