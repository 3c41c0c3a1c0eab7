import { DomainError, AsProblem } from '../../shared/domain-error.js';

@AsProblem(
  {
    code: 'too_many_subscriptions',
    kind: 'too_many',
    meaning: 'The socket listens to as many devices as one may.',
    cause: 'The bound of devices of one socket was reached.',
    cure: 'Unsubscribe from devices that are not shown any more.',
  },
  200,
)
export class TooManySubscriptionsError extends DomainError {
  constructor(limit: number) {
    super(`One socket listens to at most ${String(limit)} devices.`, { limit });
  }
}

/** This process stops; another one goes on. */
@AsProblem({
  code: 'shutting_down',
  kind: 'unavailable',
  meaning: 'This server process stops.',
  cause: 'A new version is being installed, or the server was stopped.',
  cure: 'Connect again after `Retry-After`; another process answers.',
})
export class ShuttingDownError extends DomainError {
  constructor() {
    super('This server process stops. Connect again.', { retryAfter: 1 });
  }
}
