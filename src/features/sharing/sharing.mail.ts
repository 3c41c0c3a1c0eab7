import type { MailComposers, MailValuesOf } from '../../platform/mail/mail-template-registry.js';
import { linkTo, paragraphs, plain, type RenderedMail } from '../../platform/mail/mail-text.js';

declare module '../../contracts/mail.js' {
  interface MailTemplates extends MailValuesOf<typeof SHARING_MAIL> {}
}

interface SharedDevice {
  grantorName: string;
  deviceName: string;
  permission: string;
}

export const SHARING_MAIL = {
  /** To a person who has an account. */
  device_shared: ({ grantorName, deviceName, permission }: SharedDevice): RenderedMail => ({
    subject: 'A device was shared with you',
    text: paragraphs(
      'Hello,',
      `${plain(grantorName)} shared "${plain(deviceName)}" with you, with the permission "${permission}".`,
      'You find it among your devices while the share is open. If you do not want it, leave it there.',
    ),
  }),
  /** To one who has none yet. */
  device_share_invitation: (
    { grantorName, deviceName, permission, token }: SharedDevice & { token: string },
    publicUrl: string,
  ): RenderedMail => ({
    subject: 'A device was shared with you',
    text: paragraphs(
      'Hello,',
      `${plain(grantorName)} shared "${plain(deviceName)}" with you, with the permission "${permission}". Make an account with this e-mail address, then accept it here:`,
      linkTo(publicUrl, 'accept-share', token),
      'If you do not know who that is, ignore this mail.',
    ),
  }),
} satisfies MailComposers;
