import { DomainError, AsProblem } from '../../shared/domain-error.js';

@AsProblem({
  code: 'metrics_forbidden',
  kind: 'forbidden',
  meaning: 'Metrics are not for this client.',
  cause: 'It is neither on loopback nor does it send the metrics token.',
  cure: 'Send `Authorization: Bearer` with the value of `METRICS_TOKEN`.',
})
export class MetricsForbiddenError extends DomainError {
  constructor() {
    super('Metrics are for loopback, or for holders of METRICS_TOKEN.');
  }
}
