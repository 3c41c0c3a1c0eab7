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

@AsProblem({
  code: 'chat_hook_not_found',
  kind: 'not_found',
  meaning: 'You have no hook of a chat.',
  cause: 'You named none, or removed it.',
  cure: 'Name one: `PUT /notifications/chat`.',
})
export class ChatHookNotFoundError extends DomainError {
  constructor() {
    super('You have no hook of a chat.');
  }
}

@AsProblem({
  code: 'chat_hook_disabled',
  kind: 'conflict',
  meaning: 'Your hook of a chat is disabled: nothing is sent to it.',
  cause: 'It answered that nothing arrives there any more; `disabledReason` says what.',
  cure: 'Name its address again, or another one: `PUT /notifications/chat`.',
})
export class ChatHookDisabledError extends DomainError {
  constructor() {
    super('Your hook of a chat is disabled. Name its address again.');
  }
}

@AsProblem(
  {
    code: 'invalid_chat_hook_url',
    kind: 'invalid',
    meaning: 'No messages can be posted to the URL.',
    cause:
      'It is no `https` URL, has a password in it, or names an address inside the network of the service; or it is of Telegram, and not that of `sendMessage`, or without a `chatId`.',
    cure: 'Name the URL as the chat shows it. Who runs the service can allow networks of their own with `OUTBOUND_ALLOWED_NETWORKS`.',
  },
  'It must begin with https://.',
)
export class InvalidChatHookUrlError extends DomainError {
  override readonly errors;

  constructor(detail: string) {
    super(`No messages can be posted to the URL. ${detail}`);
    this.errors = [{ detail, pointer: '/url' }];
  }
}

@AsProblem({
  code: 'mail_events_not_set_up',
  kind: 'not_found',
  meaning: 'No reports of a provider of mail are taken here.',
  cause: '`MAIL_EVENTS_PUBLIC_KEY` is not set.',
  cure: 'Who runs the service sets it to the verification key that SendGrid shows for its event webhook.',
})
export class MailEventsNotSetUpError extends DomainError {
  constructor() {
    super('No reports of a provider of mail are taken here: MAIL_EVENTS_PUBLIC_KEY is not set.');
  }
}

@AsProblem(
  {
    code: 'invalid_mail_events_signature',
    kind: 'forbidden',
    meaning: 'The report is not signed by the provider of mail.',
    cause:
      'The webhook is not signed, `MAIL_EVENTS_PUBLIC_KEY` is another key, or a clock is wrong by more than ten minutes.',
    cure: 'Enable the signature of the event webhook, and set `MAIL_EVENTS_PUBLIC_KEY` to its verification key.',
  },
  'The signature is none of the provider over this body.',
)
export class InvalidMailEventsError extends DomainError {}
