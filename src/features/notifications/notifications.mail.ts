import type { MailComposers, MailValuesOf } from '../../platform/mail/mail-template-registry.js';
import { paragraphs, type RenderedMail } from '../../platform/mail/mail-text.js';

declare module '../../contracts/mail.js' {
  interface MailTemplates extends MailValuesOf<typeof NOTIFICATIONS_MAIL> {}
}

interface NotificationMail {
  title: string;
  text: string;
  url: string | null;
  /** BCP 47. */
  language: string;
  /** Of one who wants no more of these. */
  token: string;
}

export const NOTIFICATIONS_MAIL = {
  notification: ({ title, text, url, language, token }: NotificationMail, publicUrl: string): RenderedMail => ({
    subject: title,
    text: paragraphs(text, ...(url === null ? [] : [url])),
    language,
    headers: {
      'List-Unsubscribe': `<${publicUrl.replace(/\/+$/, '')}/api/v1/notifications/unsubscribe?token=${token}>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    },
  }),
} satisfies MailComposers;
