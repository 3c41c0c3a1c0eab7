import { DomainError } from '../../shared/domain-error.js';

export class TooManySubscriptionsError extends DomainError {
  readonly code = 'too_many_subscriptions';
  readonly kind = 'too_many';
  constructor(limit: number) {
    super(`One socket listens to at most ${String(limit)} devices.`, { limit });
  }
}
