import { userKey } from '../../platform/rate-limit/platform-rate-limits.js';
import type { RateLimitCategories } from '../../platform/rate-limit/rate-limit-registry.js';

declare module '../../contracts/rate-limits.js' {
  interface RateCategories extends Record<keyof typeof NOTIFICATIONS_RATE_LIMITS, true> {}
}

export const NOTIFICATIONS_RATE_LIMITS = {
  chat_hooks: { description: 'Changes and tests of the chat hook of a person.', limit: '20/10m', keyOf: userKey },
  mail_reports: {
    description: 'Reports of what came of mails: those that the provider has signed together.',
    limit: '600/1m',
    keyOf: ({ provenAs = null }) => provenAs,
  },
  mail_suppressions: {
    description: 'How often a person has an address that bounced mailed again.',
    limit: '5/1d',
    keyOf: userKey,
  },
  phone: {
    description: 'Numbers that a person names for text messages, and codes that they type.',
    limit: '30/10m',
    keyOf: userKey,
  },
  sms_reports: {
    description: 'Reports of what came of text messages: those that the provider has signed together.',
    limit: '6000/1m',
    keyOf: ({ provenAs = null }) => provenAs,
  },
} satisfies RateLimitCategories;
