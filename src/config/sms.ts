import { z } from 'zod';
import { DOCS, providerUrl, url } from './settings.js';

/** Who sends text messages. */
export const SMS_SETTINGS = {
  TWILIO_ACCOUNT_SID: z
    .string()
    .regex(/^AC[\da-f]{32}$/i, { error: 'must be AC and 32 hexadecimal digits' })
    .nullable()
    .default(null)
    .register(DOCS, {
      description: 'Account at Twilio, which sends text messages. Unset: they go to the log.',
      example: 'AC0123456789abcdef0123456789abcdef',
    }),
  TWILIO_AUTH_TOKEN: z
    .string()
    .nullable()
    .default(null)
    .register(DOCS, { description: 'Its secret.', example: 'SECRET', secret: true }),
  TWILIO_FROM: z
    .string()
    .regex(/^(?:\+[1-9]\d{6,14}|MG[\da-f]{32}|(?=.*[A-Za-z])[A-Za-z\d ]{1,11})$/, {
      error: 'must be a number such as +15005550006, a messaging service (MG…), or up to eleven letters and digits',
    })
    .nullable()
    .default(null)
    .register(DOCS, {
      description: 'Sender: a number (E.164), a messaging service (MG…), or a name where the country allows it.',
      example: '+15005550006',
    }),
  TWILIO_STATUS_CALLBACK: url('https').nullable().default(null).register(DOCS, {
    description: 'Where Twilio reports what came of each message. Unset: nowhere.',
    example: 'https://doors.example.com/sms-status',
  }),
  TWILIO_URL: providerUrl()
    .default('https://api.twilio.com')
    .register(DOCS, { description: "Where Twilio's API is.", example: 'https://api.twilio.com' }),
} as const;

/** Each of them needs the others. */
export const SMS_GROUP = ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_FROM'] as const;

type SmsSettings = { readonly [V in keyof typeof SMS_SETTINGS]: z.output<(typeof SMS_SETTINGS)[V]> };

export interface TwilioAccount {
  readonly url: string;
  readonly accountSid: string;
  /** No member that a log could print. */
  readonly authToken: () => string;
  readonly from: string;
  readonly statusCallback: string | null;
}

/** Null: text messages go to the log. */
export interface Sms {
  readonly twilio: TwilioAccount | null;
}

export function smsOf(settings: SmsSettings): Sms {
  const { TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken, TWILIO_FROM: from } = settings;
  return Object.freeze({
    twilio:
      accountSid === null
        ? null
        : Object.freeze({
            url: settings.TWILIO_URL,
            accountSid,
            authToken: () => authToken ?? '',
            from: from ?? '',
            statusCallback: settings.TWILIO_STATUS_CALLBACK,
          }),
  });
}
