import { z } from 'zod';
import { DOCS, integer, providerUrl, url } from './settings.js';

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
    description:
      'Where Twilio reports what came of each message. Unset: /api/v1/notifications/sms-status at PUBLIC_URL, where that is https at a public name; else nowhere.',
    example: 'https://doors.example.com/api/v1/notifications/sms-status',
  }),
  TWILIO_URL: providerUrl()
    .default('https://api.twilio.com')
    .register(DOCS, { description: "Where Twilio's API is.", example: 'https://api.twilio.com' }),
  SMS_MONTHLY_BUDGET: integer(0, 100_000_000).default(1_000).register(DOCS, {
    description:
      'Segments of text messages, which providers charge for, in a calendar month (UTC). The last tenth is for what is urgent, and codes for numbers have half at most. 0: there are no text messages.',
    example: '1000',
  }),
  SMS_MONTHLY_PER_PERSON: integer(1, 1_000_000).default(100).register(DOCS, {
    description: 'Of these, how many one person may have; the last tenth is for what is urgent, too.',
    example: '100',
  }),
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

export interface Sms {
  /** Null: text messages go to the log. */
  readonly twilio: TwilioAccount | null;
  /** There are text messages: to the log nowhere but where developers read it. */
  readonly isSetUp: boolean;
  /** Segments in a calendar month. */
  readonly budget: { readonly ofAll: number; readonly perPerson: number };
}

/** What else it takes to know where reports go, and whether a log will do. */
interface Surroundings {
  readonly NODE_ENV: string;
  readonly PUBLIC_URL: string;
}

export function smsOf(settings: SmsSettings & Surroundings): Sms {
  const { TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken, TWILIO_FROM: from } = settings;
  const budget = { ofAll: settings.SMS_MONTHLY_BUDGET, perPerson: settings.SMS_MONTHLY_PER_PERSON };
  return Object.freeze({
    isSetUp: budget.ofAll > 0 && (accountSid !== null || settings.NODE_ENV !== 'production'),
    budget: Object.freeze(budget),
    twilio:
      accountSid === null
        ? null
        : Object.freeze({
            url: settings.TWILIO_URL,
            accountSid,
            authToken: () => authToken ?? '',
            from: from ?? '',
            statusCallback: settings.TWILIO_STATUS_CALLBACK ?? callbackAt(settings.PUBLIC_URL),
          }),
  });
}

/** Null where Twilio could not reach it. */
function callbackAt(publicUrl: string): string | null {
  const { protocol, hostname } = new URL(publicUrl);
  const isPublicName =
    /^(?=.*\.[a-z])[a-z\d.-]+$/.test(hostname) && !/\.(?:local|localhost|internal|lan|test)$/.test(hostname);
  return protocol === 'https:' && isPublicName
    ? `${publicUrl.replace(/\/+$/, '')}/api/v1/notifications/sms-status`
    : null;
}
