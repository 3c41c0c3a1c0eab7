import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { Clock } from '../../shared/clock.js';
import { Metrics } from '../metrics/metrics.js';
import { BULK_QUEUE, DELIVERY_QUEUE, MAINTENANCE_QUEUE } from './queue-connection-config.js';

const STATES = ['waiting', 'active', 'delayed', 'failed'] as const;

interface Measured {
  readonly queue: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly oldestS: number;
}

/** How long the queues are, and how old. They are shared: each worker says the same. An edge of that role. */
@Injectable()
export class QueueMetrics {
  constructor(
    @InjectQueue(MAINTENANCE_QUEUE) maintenance: Queue,
    @InjectQueue(DELIVERY_QUEUE) delivery: Queue,
    @InjectQueue(BULK_QUEUE) bulk: Queue,
    private readonly clock: Clock,
    metrics: Metrics,
  ) {
    metrics.measured(
      () => Promise.all([maintenance, delivery, bulk].map((queue) => this.measure(queue))),
      [
        {
          name: 'mortise_queue_jobs',
          help: 'Jobs of a queue, by state',
          labelNames: ['queue', 'state'],
          samples: (queues) =>
            queues.flatMap(({ queue, counts }) =>
              STATES.map((state) => [counts[state] ?? 0, { queue, state }] as const),
            ),
        },
        {
          name: 'mortise_queue_oldest_seconds',
          help: 'How long the oldest job has been waiting for a worker; 0 when none waits',
          labelNames: ['queue'],
          samples: (queues) => queues.map(({ queue, oldestS }) => [oldestS, { queue }] as const),
        },
      ],
    );
  }

  private async measure(queue: Queue): Promise<Measured> {
    const counts = await queue.getJobCounts(...STATES);
    const [oldest] = await queue.getJobs(['waiting'], 0, 0, true);
    // One that was planned waits from its time on.
    const since = oldest ? oldest.timestamp + oldest.delay : Infinity;
    return { queue: queue.name, counts, oldestS: Math.max(0, (this.clock.now() - since) / 1_000) };
  }
}
