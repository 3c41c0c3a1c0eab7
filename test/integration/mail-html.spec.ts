import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NewMail } from '../../src/contracts/mail.js';
import { MailTemplateRegistry } from '../../src/platform/mail/mail-template-registry.js';
import { Mailer } from '../../src/platform/mail/mailer.js';
import { MailTransport } from '../../src/platform/mail/mail-transport.js';
import type { RenderedMail } from '../../src/platform/mail/mail-text.js';
import { MailServer, type ReceivedMail } from '../support/mail-server.js';
import { TestApp } from '../support/test-app.js';

const PUBLIC_URL = 'https://doors.example.com/';
const TOKEN = 'tokentokentokentokentokentokentokentokento1';
/** Longer than what the library folds at. */
const UNSUBSCRIBE = `<https://doors.example.com/api/v1/notifications/unsubscribe?token=${'t'.repeat(300)}>`;

const MAILS = [
  { template: 'registration', values: { token: TOKEN } },
  { template: 'security_notice', values: { displayName: 'Ädá', notice: 'session_evicted' } },
  { template: 'device_shared', values: { grantorName: 'Eve', deviceName: 'Haustür', permission: 'view' } },
  { template: 'export_ready', values: { exportId: 'e1', type: 'audit', rows: 7 } },
  { template: 'export_failed', values: { exportId: 'e1', type: 'audit', failure: 'internal' } },
  { template: 'webhook_disabled', values: { webhookId: 'w1', receiver: 'receiver.example', reason: 'gone' } },
] as const;

describe('HTML beside the text of a mail', () => {
  let server: MailServer;
  let application: TestApp;

  beforeAll(async () => {
    server = await MailServer.start();
    application = await TestApp.start({
      env: { SMTP_URL: server.url, MAIL_FROM: 'Doors <doors@example.com>', PUBLIC_URL },
    });
  });

  afterAll(async () => {
    await application.stop();
    await server.stop();
  });

  async function received(mail: Record<string, unknown>): Promise<ReceivedMail> {
    await application.get(Mailer).enqueue({ to: 'ada@example.com', ...mail } as unknown as NewMail);
    return server.nextTo('ada@example.com');
  }

  it('is sent with every mail, as the second alternative, and leaves the text as it is', async () => {
    for (const mail of MAILS) {
      const rendered = application.get(MailTemplateRegistry).compose({ to: '', ...mail }, PUBLIC_URL);
      const { head, types, text, html } = await received(mail);
      expect(head).toMatch(/^Content-Type: multipart\/alternative;/m);
      expect(types).toEqual(['text/plain', 'text/html']);
      expect(text.trimEnd()).toBe(rendered.text.trimEnd());
      expect(html).toContain('<html lang="en">');
      const links = rendered.text.match(/https:\S+/g) ?? [];
      expect([...html.matchAll(/href="([^"]*)"/g)].map(([, link]) => link)).toEqual(links);
    }
  });

  it('has the language of its mail, and lets one request end such mails', async () => {
    register('with_headers', {
      subject: 'Neue Mitteilung',
      text: 'Hallo,\n\n„Haustür“ ist offline.\n',
      language: 'de-CH',
      headers: { 'List-Unsubscribe': UNSUBSCRIBE, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' },
    });
    const { head, html } = await received({ template: 'with_headers', values: {} });
    expect(head.split('\n')).toEqual(
      expect.arrayContaining([`List-Unsubscribe: ${UNSUBSCRIBE}`, 'List-Unsubscribe-Post: List-Unsubscribe=One-Click']),
    );
    expect(html).toContain('<html lang="de-CH">');
    expect(html).toContain('„Haustür“ ist offline.');
  });

  it('lets no value begin a header, a part or a tag of its own', async () => {
    const hostile =
      'Hi\r\nBcc: all@example.com\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script> https://evil.example/';
    register('hostile', { subject: hostile, text: hostile, language: hostile });
    const { head, types, html } = await received({ template: 'hostile', values: {} });
    expect(head).not.toMatch(/^Bcc:/im);
    expect(head.match(/^Content-Type:/gim)).toHaveLength(1);
    expect(types).toEqual(['text/plain', 'text/html']);
    expect(html).not.toMatch(/<script|href=/i);
    register('hostile_header', {
      ...{ subject: 'Hi', text: 'Hi' },
      headers: { 'List-Unsubscribe': `${UNSUBSCRIBE}\r\nBcc: all@example.com` } as never,
    });
    const refused = { to: 'ada@example.com', template: 'hostile_header', values: {} } as unknown as NewMail;
    await expect(application.get(MailTransport).send(refused, 'id')).rejects.toThrow('may not have the header');
    expect(await server.recipients()).toBe(MAILS.length + 2);
  });

  function register(template: string, rendered: RenderedMail): void {
    application.get(MailTemplateRegistry).register({ [template]: () => rendered });
  }
});
