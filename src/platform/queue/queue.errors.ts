import { AsProblem, DomainError } from '../../shared/domain-error.js';

@AsProblem({
  code: 'queues_unavailable',
  kind: 'unavailable',
  meaning: 'The queues of jobs cannot be looked at.',
  cause: 'Redis, which holds them, does not answer. Mails, exports and the like wait in PostgreSQL; none is lost.',
  cure: 'Try again in a moment. `GET /api/health` says whether Redis is away.',
})
export class QueuesUnavailableError extends DomainError {
  constructor(options?: ErrorOptions) {
    super('Redis did not answer in time.', {}, options);
  }
}
