import { Injectable } from '@nestjs/common';
import { Metrics } from '../metrics/metrics.js';
import { JOB_STATES, QueueFiguresReader } from './queue-figures-reader.js';

/** How long the queues are, and how old. They are shared: each worker says the same. An edge of that role. */
@Injectable()
export class QueueMetrics {
  constructor(figures: QueueFiguresReader, metrics: Metrics) {
    metrics.measured(
      () => figures.backlogs(),
      [
        {
          name: 'mortise_queue_jobs',
          help: 'Jobs of a queue, by state',
          labelNames: ['queue', 'state'],
          samples: (queues) =>
            queues.flatMap(({ queue, counts }) =>
              JOB_STATES.map((state) => [counts[state], { queue, state }] as const),
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
}
