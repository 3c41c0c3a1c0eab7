import { Injectable } from '@nestjs/common';
import { Metrics } from '../../../platform/metrics/metrics.js';
import { SmsBudgetService } from './sms-budget.service.js';

/** How much of the budget is used. An edge of the worker role. */
@Injectable()
export class SmsBudgetMetrics {
  constructor(budget: SmsBudgetService, metrics: Metrics) {
    metrics.measured(
      () => budget.standing(),
      [
        {
          name: 'mortise_sms_segments_used',
          help: 'Segments of text messages in this calendar month (UTC), codes included',
          samples: ({ used }) => [[used]],
        },
        {
          name: 'mortise_sms_segments_budget',
          help: 'How many there may be: `SMS_MONTHLY_BUDGET`',
          samples: ({ budget: all }) => [[all]],
        },
      ],
    );
  }
}
