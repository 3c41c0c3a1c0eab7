import { Injectable } from '@nestjs/common';
import { Metrics } from '../../../platform/metrics/metrics.js';
import { ExportRunsRepository } from './export-runs.repository.js';

/** How many exports have not ended, and how old they are. Each worker says the same; an edge of that role. */
@Injectable()
export class ExportMetrics {
  constructor(runs: ExportRunsRepository, metrics: Metrics) {
    metrics.measured(
      () => runs.backlog(),
      [
        {
          name: 'mortise_exports_open',
          help: 'Exports that wait or are under way',
          samples: ({ waiting }) => [[waiting]],
        },
        {
          name: 'mortise_export_oldest_seconds',
          help: 'Age of the oldest export that has not ended; 0 when there is none',
          samples: ({ oldestS }) => [[oldestS]],
        },
      ],
    );
  }
}
