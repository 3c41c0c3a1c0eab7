import type { MailComposers, MailValuesOf } from '../../platform/mail/mail-template-registry.js';
import { paragraphs, type RenderedMail } from '../../platform/mail/mail-text.js';
import type { WebhookDisabledReason } from './webhooks.types.js';

declare module '../../contracts/mail.js' {
  interface MailTemplates extends MailValuesOf<typeof WEBHOOKS_MAIL> {}
}

interface Disabled {
  webhookId: string;
  /** Not the whole URL: that may have a secret in it. */
  receiver: string;
  reason: Exclude<WebhookDisabledReason, 'owner'>;
}

const REASONS: Readonly<Record<Disabled['reason'], string>> = {
  failing: 'It took nothing that was sent to it for three days.',
  overfull: 'It takes what happens more slowly than it happens: 100,000 events waited for it.',
  gone: 'It answered 410 Gone, which means that it wants nothing any more.',
};

export const WEBHOOKS_MAIL = {
  webhook_disabled: ({ webhookId, receiver, reason }: Disabled, publicUrl: string): RenderedMail => ({
    subject: `A webhook was disabled: ${receiver}`,
    text: paragraphs(
      'Hello,',
      `the webhook to ${receiver} was disabled, and is told nothing any more. ${REASONS[reason]}`,
      'What it missed can be read in the list of events. Enable it again once its receiver works:',
      `${publicUrl}/webhooks/${webhookId}`,
    ),
  }),
} satisfies MailComposers;
