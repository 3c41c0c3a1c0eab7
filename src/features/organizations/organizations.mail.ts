import type { MailComposers, MailValuesOf } from '../../platform/mail/mail-template-registry.js';
import { linkTo, paragraphs, plain, type RenderedMail } from '../../platform/mail/mail-text.js';

declare module '../../contracts/mail.js' {
  interface MailTemplates extends MailValuesOf<typeof ORGANIZATIONS_MAIL> {}
}

interface Invitation {
  organizationName: string;
  inviterName: string;
  role: string;
  token: string;
}

export const ORGANIZATIONS_MAIL = {
  organization_invitation: (
    { organizationName, inviterName, role, token }: Invitation,
    publicUrl: string,
  ): RenderedMail => ({
    subject: 'You are invited to an organization',
    text: paragraphs(
      'Hello,',
      `${plain(inviterName)} invites you to the organization "${plain(organizationName)}", as ${role.toLowerCase()}:`,
      linkTo(publicUrl, 'accept-invitation', token),
      'If you do not know who that is, ignore this mail.',
    ),
  }),
} satisfies MailComposers;
