import { AsProblem, DomainError } from '../../shared/domain-error.js';

@AsProblem(
  {
    code: 'notification_not_found',
    kind: 'not_found',
    meaning: 'There is no such notification of yours.',
    cause: 'The id is wrong, it is of another person, or it is older than 90 days.',
    cure: 'Read the list of your notifications.',
  },
  '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c61',
)
export class NotificationNotFoundError extends DomainError {
  constructor(notificationId: string) {
    super('There is no such notification.', { notificationId });
  }
}

@AsProblem({
  code: 'invalid_unsubscribe_token',
  kind: 'forbidden',
  meaning: 'The token is none that a mail of ours has.',
  cause: 'It was cut, or the key of the installation was changed since the mail was sent.',
  cure: 'Turn the mails off among the preferences for notifications.',
})
export class InvalidUnsubscribeTokenError extends DomainError {
  constructor() {
    super('The token is none that a mail of ours has.');
  }
}
