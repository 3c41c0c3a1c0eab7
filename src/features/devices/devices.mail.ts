import type { MailComposers, MailValuesOf } from '../../platform/mail/mail-template-registry.js';
import { linkTo, paragraphs, plain, type RenderedMail } from '../../platform/mail/mail-text.js';

declare module '../../contracts/mail.js' {
  interface MailTemplates extends MailValuesOf<typeof DEVICES_MAIL> {}
}

interface Claims {
  devices: { name: string; code: string }[];
}

interface Transfer {
  deviceName: string;
  senderName: string;
  token: string;
}

export const DEVICES_MAIL = {
  device_claims: ({ devices }: Claims, publicUrl: string): RenderedMail => ({
    subject: devices.length === 1 ? 'A device waits for you' : 'Devices wait for you',
    text: paragraphs(
      'Hello,',
      'with an account of this e-mail address, you can claim what was made ready for you:',
      devices.map(({ name, code }) => `${code}  ${plain(name)}`).join('\n'),
      `Sign in at ${publicUrl} and enter the code of each; it can be used once.`,
      'If you do not know what that is, ignore this mail.',
    ),
  }),
  device_transfer: ({ deviceName, senderName, token }: Transfer, publicUrl: string): RenderedMail => ({
    subject: 'A device is handed on to you',
    text: paragraphs(
      'Hello,',
      `${plain(senderName)} wants to hand on the device "${plain(deviceName)}" to you. It is yours once you accept, within 7 days:`,
      linkTo(publicUrl, 'accept-transfer', token),
      'If you do not know who that is, ignore this mail.',
    ),
  }),
} satisfies MailComposers;
