import { AsProblem, DomainError } from '../../shared/domain-error.js';
import { TEST_TYPE } from './webhooks.types.js';

export const MAX_WEBHOOKS_OF_PERSON = 20;
export const MAX_WEBHOOKS_OF_ORGANIZATION = 50;

@AsProblem(
  {
    code: 'webhook_not_found',
    kind: 'not_found',
    meaning: 'There is no such webhook that you manage.',
    cause:
      'The id is wrong, it was deleted, or it belongs to another person, or to an organization that you are not in.',
    cure: 'Read the list of your webhooks, or that of the organization.',
  },
  '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c57',
)
export class WebhookNotFoundError extends DomainError {
  constructor(webhookId: string) {
    super('There is no such webhook.', { webhookId });
  }
}

@AsProblem({
  code: 'webhook_changed',
  kind: 'precondition_failed',
  meaning: 'The webhook is not in the version that `If-Match` names.',
  cause: 'It was changed after you read it.',
  cure: 'Read it again, decide again, and send the change with the new `ETag`.',
})
export class WebhookChangedError extends DomainError {
  constructor() {
    super('The webhook is not in the version that If-Match names. Read it again.');
  }
}

@AsProblem(
  {
    code: 'too_many_webhooks',
    kind: 'conflict',
    meaning: 'There are as many webhooks as there may be.',
    cause: `A person has ${String(MAX_WEBHOOKS_OF_PERSON)} at most, an organization ${String(MAX_WEBHOOKS_OF_ORGANIZATION)}.`,
    cure: 'Delete one, or let one tell of more types and devices.',
  },
  MAX_WEBHOOKS_OF_PERSON,
)
export class TooManyWebhooksError extends DomainError {
  constructor(limit: number) {
    super(`There are ${String(limit)} webhooks already, as many as there may be.`);
  }
}

/** Nothing may be posted to the URL. */
@AsProblem(
  {
    code: 'invalid_webhook_url',
    kind: 'invalid',
    meaning: 'Nothing can be posted to the URL.',
    cause: 'It is no `https` URL, has a password in it, or names an address inside the network of the service.',
    cure: 'Name a public `https` URL. Who runs the service can allow networks of their own with `OUTBOUND_ALLOWED_NETWORKS`.',
  },
  'It must begin with https://.',
)
export class InvalidWebhookUrlError extends DomainError {
  override readonly errors;

  constructor(detail: string) {
    super(`Nothing can be posted to the URL. ${detail}`);
    this.errors = [{ detail, pointer: '/url' }];
  }
}

@AsProblem({
  code: 'webhook_disabled',
  kind: 'conflict',
  meaning: 'The webhook is disabled: nothing is sent to it.',
  cause: 'You disabled it, it answered 410 Gone, or nothing was taken for three days; `disabledReason` says which.',
  cure: 'Enable it first: `PATCH` it with `{"enabled": true}`.',
})
export class WebhookDisabledError extends DomainError {
  constructor() {
    super('The webhook is disabled. Enable it first.');
  }
}

@AsProblem(
  {
    code: 'webhook_delivery_not_found',
    kind: 'not_found',
    meaning: 'The webhook has no such delivery.',
    cause: 'The id is wrong, it is of another webhook, or it ended more than two weeks ago.',
    cure: 'Read the list of its deliveries.',
  },
  '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c58',
)
export class WebhookDeliveryNotFoundError extends DomainError {
  constructor(deliveryId: string) {
    super('The webhook has no such delivery.', { deliveryId });
  }
}

@AsProblem({
  code: 'webhook_delivery_pending',
  kind: 'conflict',
  meaning: 'The delivery has not ended: it is sent anyway.',
  cause: 'It waits for its first attempt, or for the next one; `nextAttemptAt` says when.',
  cure: 'Wait for its end.',
})
export class WebhookDeliveryPendingError extends DomainError {
  constructor() {
    super('The delivery has not ended. It is sent anyway.');
  }
}

@AsProblem({
  code: 'webhook_delivery_not_repeatable',
  kind: 'conflict',
  meaning: 'The delivery cannot be sent again.',
  cause: `It is a \`${TEST_TYPE}\`.`,
  cure: 'Send another test.',
})
export class WebhookDeliveryNotRepeatableError extends DomainError {
  constructor() {
    super('A test is not sent again. Send another one.');
  }
}
