import { DomainError, AsProblem } from '../../shared/domain-error.js';

@AsProblem(
  {
    code: 'too_many_subscriptions',
    kind: 'too_many',
    meaning: 'The socket listens to as many devices as one may.',
    cause: 'The limit of devices of one socket was reached.',
    cure: 'Unsubscribe from devices that are not shown any more.',
  },
  200,
)
export class TooManySubscriptionsError extends DomainError {
  constructor(limit: number) {
    super(`One socket listens to at most ${String(limit)} devices.`, { limit });
  }
}

@AsProblem({
  code: 'other_session',
  kind: 'forbidden',
  meaning: 'The access token is of another session than the connection.',
  cause: 'Somebody else signed in, or the same person signed in again.',
  cure: 'Close the connection, and connect with the new token.',
})
export class OtherSessionError extends DomainError {
  constructor() {
    super('This access token is of another session than the connection. Connect again with it.');
  }
}
