import { DomainError } from '../../shared/domain-error.js';

export class MetricsForbiddenError extends DomainError {
  readonly code = 'metrics_forbidden';
  readonly kind = 'forbidden';
  constructor() {
    super('Metrics are for loopback, or for holders of METRICS_TOKEN.');
  }
}
