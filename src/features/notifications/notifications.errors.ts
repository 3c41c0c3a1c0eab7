import { AsProblem, DomainError, type FieldError } from '../../shared/domain-error.js';

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

  constructor(detail: string, pointer: '/url' | '/chatId' = '/url') {
    super(`No messages can be posted to the URL. ${detail}`);
    this.errors = [{ detail, pointer }];
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

@AsProblem({
  code: 'no_text_messages',
  kind: 'unprocessable',
  meaning: 'This installation sends no text messages.',
  cause: 'Its operator has set up no provider, or a budget of none.',
  cure: 'Choose another channel. Operators: docs/push.md says how to set them up.',
})
export class NoTextMessagesError extends DomainError {
  constructor() {
    super('This installation sends no text messages.');
  }
}

@AsProblem(
  {
    code: 'phone_code_quota_exceeded',
    kind: 'too_many',
    meaning: 'No further code is sent for now.',
    cause:
      'You have had several sent, several were sent to the number, or as many as the installation sends in an hour, a day or a month.',
    cure: 'Use the code that was sent, if it is good still. Else wait as long as `Retry-After` says.',
  },
  1_800,
)
export class PhoneCodeQuotaError extends DomainError {
  constructor(retryAfter: number) {
    super('Enough codes were sent for now. One that was sent before stays good.', { retryAfter });
  }
}

@AsProblem({
  code: 'phone_number_refused',
  kind: 'unprocessable',
  meaning: 'No text message can be sent to the number.',
  cause:
    'The provider says that there is no such number, that it takes no text messages, or that it has answered STOP.',
  cure: 'Correct the number. Where it has answered STOP, send START from it to the number that the messages came from.',
})
export class PhoneNumberRefusedError extends DomainError {
  override readonly errors: readonly FieldError[] = [
    { detail: '`number` is none that a text message can be sent to', pointer: '/number' },
  ];

  constructor() {
    super('The provider sends no text message to this number.');
  }
}

@AsProblem(
  {
    code: 'phone_code_not_sent',
    kind: 'unavailable',
    meaning: 'The provider of text messages does not answer as it should.',
    cause: 'It is out of reach or overloaded, or does not accept the account of this installation.',
    cure: 'If the code comes nevertheless, it is good. Else name the number again in a minute.',
  },
  true,
)
export class PhoneCodeNotSentError extends DomainError {
  constructor(isRefused: boolean) {
    super(
      isRefused
        ? 'The provider did not take the text message. Try again later.'
        : 'The provider did not answer. If the code comes nevertheless, it is good.',
    );
  }
}

@AsProblem({
  code: 'invalid_phone_code',
  kind: 'unprocessable',
  meaning: 'The code is not the one that was sent, or is good no more.',
  cause: 'It was mistyped, is older than ten minutes, was tried five times, was used, or another one was sent since.',
  cure: 'Type it again; `GET /notifications/phone` says how often. Else name the number again.',
})
export class InvalidPhoneCodeError extends DomainError {
  override readonly errors: readonly FieldError[] = [
    { detail: '`code` is not the one that was sent, or is good no more', pointer: '/code' },
  ];

  constructor() {
    super('This code is not the one that was sent, or is good no more.');
  }
}

@AsProblem({
  code: 'invalid_sms_report',
  kind: 'forbidden',
  meaning: 'The report is not signed by the provider of text messages.',
  cause:
    'It is from another sender, the token of the account was changed, or `TWILIO_STATUS_CALLBACK` is not the URL that it was sent to.',
  cure: 'Operators: compare the token and the URL with those in the console of the provider.',
})
export class InvalidSmsReportError extends DomainError {
  constructor() {
    super('The report is not signed by the provider of text messages.');
  }
}
