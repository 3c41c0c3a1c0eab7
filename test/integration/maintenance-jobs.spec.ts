import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Queue } from 'bullmq';
import { JobQueue } from '../../src/platform/queue/job-queue.js';
import { JobRegistry } from '../../src/platform/queue/job-registry.js';
import { JobScheduler } from '../../src/platform/queue/job-scheduler.js';
import { QueueMetrics } from '../../src/platform/queue/queue-metrics.js';
import { queueProcessor } from '../../src/platform/queue/queue-processors.js';
import { QueueModule } from '../../src/platform/queue/queue.module.js';
import { startEventLog } from '../support/events.fixture.js';
import type { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { emptyRedis } from '../support/redis.js';

const QUEUE_EDGES = [queueProcessor('maintenance'), JobScheduler];
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

declare module '../../src/contracts/jobs.js' {
  interface Jobs {
    told: { readonly of: string };
  }
}

@Injectable()
class NotificationJob {
  readonly told: string[] = [];
  failures = 0;

  constructor(jobs: JobRegistry) {
    jobs.register('told', { queue: 'notifications', everyMs: null }, async ({ of }) => {
      this.told.push(of);
      await delay(20);
    });
    jobs.register('purge_stubborn', { queue: 'maintenance', everyMs: 3_600_000 }, () => {
      this.failures += 1;
      return this.failures === 1 ? Promise.reject(new Error('Not yet.')) : Promise.resolve();
    });
  }
}

describe('the jobs', () => {
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

  it('lets an urgent job overtake 10,000 that wait, and the others in their order', async () => {
    const queue = new Queue('notifications', { connection: { url: redisUrl } });
    const waiting = Array.from({ length: 10_000 }, (_, n) => ({
      name: 'told',
      data: { of: String(n) },
      opts: { jobId: `w${String(n)}`, removeOnComplete: true, priority: 1 },
    }));
    await queue.addBulk(waiting);
    const app = await startEventLog({
      databaseUrl: database.url,
      redisUrl,
      modules: [QueueModule],
      edges: [NotificationJob, ...QUEUE_EDGES, queueProcessor('notifications'), QueueMetrics],
    });
    node = app;
    const { told } = app.get(NotificationJob);
    await app.get(JobQueue).add('told', { of: 'not urgent' }, 'n1');
    const addedAt = performance.now();
    await app.get(JobQueue).add('told', { of: 'urgent' }, 'u1', true);
    await eventually('the urgent one is done', () => told.includes('urgent'), 1_000);
    process.stdout.write(`  an urgent job began ${(performance.now() - addedAt).toFixed(0)} ms after it was added\n`);
    expect(told.length).toBeLessThan(1_000);
    expect(told.filter((of) => of !== 'urgent').map(Number)).toEqual(Array.from(told.slice(1), (_of, n) => n));
    expect(await app.metric('mortise_queue_jobs{queue="notifications",state="prioritized"}')).toBeGreaterThan(8_000);
    await expect(app.get(JobQueue).add('purge_stubborn', {}, 'p1', true)).rejects.toThrow('no urgent jobs');
    await queue.close();
  });

  it('counts how long they took, and those that began again', async () => {
    const app = await startEventLog({
      databaseUrl: database.url,
      redisUrl,
      modules: [QueueModule],
      edges: [NotificationJob, ...QUEUE_EDGES],
    });
    node = app;
    await eventually(
      'it was tried again',
      async () => (await app.metric('mortise_job_retries_total{job="purge_stubborn"}')) === 1,
    );
    const took = (outcome: string, to: string): string =>
      `mortise_job_duration_seconds_bucket{le="${to}",job="purge_stubborn",outcome="${outcome}"}`;
    await eventually('it is done', async () => (await app.metric(took('done', '+Inf'))) === 1);
    expect(await app.metric(took('failed', '+Inf'))).toBe(1);
    expect(await app.metric(took('done', '30'))).toBe(1);
  });

  it('takes no job that has no handler', async () => {
    node = await start();
    await expect(node.get(JobQueue).add('purge_everything', {}, 'id')).rejects.toThrow('purge_everything');
  });
});
