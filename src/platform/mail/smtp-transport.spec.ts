import { afterEach, describe, expect, it } from '@jest/globals';
import { MailServer } from '../../../test/support/mail-server.js';
import type { NewMail } from '../../contracts/mail.js';
import { SmtpTransport } from './smtp-transport.js';

const MAIL: NewMail = {
  to: 'ada@example.com',
  template: 'registration',
  values: { token: 'secretsecretsecretsecretsecretsecretsecret1' },
};

describe('SmtpTransport', () => {
  let server: MailServer | undefined;

  afterEach(() => server?.stop());

  const transport = (url: string): SmtpTransport =>
    new SmtpTransport({ from: 'Doors <doors@example.com>' }, url, 'https://doors.example.com', ({ template }) => ({
      subject: template,
      text: template,
    }));

  it('signs in with the account of its address', async () => {
    server = await MailServer.start({ user: 'us er', password: 'p@ss' });
    const { host } = new URL(server.url);
    await transport(`smtp://us%20er:p%40ss@${host}`).send(MAIL, 'id');
    expect((await server.nextTo('ada@example.com')).messageId).toBe('<id@doors.example.com>');
    const refused = transport(`smtp://us%20er:wrong@${host}`).send(MAIL, 'id');
    // A wrong account of ours is no reason to drop people's mail.
    await expect(refused).rejects.toMatchObject({ message: 'EAUTH 535', permanent: false });
  });

  it('insists on TLS where it is told to, and says nothing before', async () => {
    server = await MailServer.start();
    const refused = transport(`${server.url}?requireTLS=true`).send(MAIL, 'id');
    await expect(refused).rejects.toMatchObject({ permanent: false });
    await expect(transport(server.url.replace('smtp:', 'smtps:')).send(MAIL, 'id')).rejects.toMatchObject({
      permanent: false,
    });
    expect(await server.recipients()).toBe(0);
  });

  it('reports that the server does not answer', async () => {
    server = await MailServer.start();
    const { url } = server;
    await server.stop();
    server = undefined;
    await expect(transport(url).send(MAIL, 'id')).rejects.toMatchObject({ name: 'MailRefusedError', permanent: false });
  });
});
