import { DomainError } from '../../shared/domain-error.js';

export class TooManySubscriptionsError extends DomainError {
  readonly code = 'too_many_subscriptions';
  readonly kind = 'too_many';
  constructor(limit: number) {
    super(`One socket listens to at most ${String(limit)} devices.`, { limit });
  }
}

/** This process stops; another one goes on. */
export class ShuttingDownError extends DomainError {
  readonly code = 'shutting_down';
  readonly kind = 'unavailable';
  constructor() {
    super('This server process stops. Connect again.', { retryAfter: 1 });
  }
}
