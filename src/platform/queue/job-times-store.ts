import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { inBackground } from '../process/faults.js';
import { JOB_QUEUES, type JobQueueName } from './queue-plans.js';
import { QueueRegistry } from './queue-registry.js';

/** Of each queue, whichever worker did them. */
const KEPT = 1_000;
const KEPT_FOR_S = 86_400;
/** Jobs do not wait for it; a worker that is killed loses what it has not written. */
const WRITE_EVERY_MS = 1_000;

/** How long a job waited for a worker, and how long that took. */
export interface JobTimes {
  readonly waitedMs: number;
  readonly tookMs: number;
}

/** The times of one job that ended. */
export interface EndedJob extends JobTimes {
  readonly endedAt: Date;
}

/** How long the latest jobs took, in Redis, for all processes: BullMQ keeps how many there were, not how long they took. */
@Injectable()
export class JobTimesStore implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #unwritten = new Map<JobQueueName, string[]>();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly queues: QueueRegistry) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => {
      inBackground(() => this.write());
    }, WRITE_EVERY_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.#timer);
  }

  record(queue: JobQueueName, { waitedMs, tookMs }: JobTimes): void {
    const times = [Date.now(), waitedMs, tookMs].map(Math.round).join(' ');
    this.#unwritten.set(queue, [...(this.#unwritten.get(queue) ?? []), times].slice(-KEPT));
  }

  /** The latest first. */
  async latest(queue: JobQueueName): Promise<EndedJob[]> {
    const lines = await this.queues.redis.lrange(this.keyOf(queue), 0, KEPT - 1);
    return lines.map((line) => {
      const [endedAt = 0, waitedMs = 0, tookMs = 0] = line.split(' ').map(Number);
      return { endedAt: new Date(endedAt), waitedMs, tookMs };
    });
  }

  private async write(): Promise<void> {
    if (this.queues.redis.status !== 'ready') {
      return;
    }
    const batch = this.queues.redis.pipeline();
    for (const queue of JOB_QUEUES) {
      const times = this.#unwritten.get(queue) ?? [];
      if (times.length > 0) {
        this.#unwritten.delete(queue);
        const key = this.keyOf(queue);
        batch
          .lpush(key, ...times)
          .ltrim(key, 0, KEPT - 1)
          .expire(key, KEPT_FOR_S);
      }
    }
    // What Redis did not take is lost: figures of a queue are not worth more.
    await batch.exec().catch(() => undefined);
  }

  private keyOf(queue: JobQueueName): string {
    return this.queues.get(queue).toKey('times');
  }
}
