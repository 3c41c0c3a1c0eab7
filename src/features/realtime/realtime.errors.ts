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

@AsProblem(
  {
    code: 'unknown_event',
    kind: 'not_found',
    meaning: 'There is no request of this name on sockets.',
    cause: 'The name is misspelled, or of a newer version.',
    cure: 'Take the name that `detail` suggests, or one of those that `/api/docs/asyncapi.json` lists.',
  },
  'subscribe_device',
)
export class UnknownEventError extends DomainError {
  /** @param meant the name that was probably meant */
  constructor(meant: string | undefined) {
    super(
      meant === undefined
        ? 'There is no request of this name. `/api/docs/asyncapi.json` lists those that there are.'
        : `There is no request of this name. Did you mean \`${meant}\`?`,
    );
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
