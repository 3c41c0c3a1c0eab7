import { AsProblem, DomainError } from '../../../shared/domain-error.js';
import type { PushService } from './push-subscriptions.types.js';

@AsProblem(
  {
    code: 'push_subscription_not_found',
    kind: 'not_found',
    meaning: 'There is no such push subscription of yours.',
    cause:
      'The id is wrong, it is of another person, its session has ended, or its service has no such target any more.',
    cure: 'Read the list of your push subscriptions.',
  },
  '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c64',
)
export class PushSubscriptionNotFoundError extends DomainError {
  constructor(subscriptionId: string) {
    super('There is no such push subscription.', { subscriptionId });
  }
}

@AsProblem(
  {
    code: 'push_service_not_set_up',
    kind: 'conflict',
    meaning: 'This installation does not push over the service.',
    cause: 'Its operator has given no keys for the service.',
    cure: 'Register with one of `GET /notifications/push/services`. Operators find in docs/push.md where keys come from.',
  },
  'apns',
)
export class PushServiceNotSetUpError extends DomainError {
  constructor(service: PushService) {
    super(`This installation does not push over ${service}.`, { service });
  }
}

@AsProblem(
  {
    code: 'invalid_push_endpoint',
    kind: 'invalid',
    meaning: 'Nothing can be pushed to the endpoint.',
    cause: 'It is no `https` URL, has a password in it, or names an address inside the network of the service.',
    cure: 'Send `PushSubscription.toJSON()` as the browser gives it.',
  },
  'It must begin with https://.',
)
export class InvalidPushEndpointError extends DomainError {
  override readonly errors;

  constructor(detail: string) {
    super(`Nothing can be pushed to the endpoint. ${detail}`);
    this.errors = [{ detail, pointer: '/endpoint' }];
  }
}
