import { describe, expect, it, jest } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import type { NewMail } from '../../contracts/mail.js';
import { LogTransport } from './log-transport.js';
import { MailTemplateRegistry } from './mail-template-registry.js';
import { linkTo } from './mail-text.js';

const TOKEN = 'secretsecretsecretsecretsecretsecretsecret1';
const MAIL: NewMail = {
  to: 'ada@example.com',
  template: 'password_reset',
  values: { displayName: 'Ada', token: TOKEN },
};

const templates = new MailTemplateRegistry();
templates.register({
  password_reset: ({ token }: { token: string }, publicUrl) => ({
    subject: 'Reset',
    text: linkTo(publicUrl, 'reset-password', token),
  }),
  device_claims: ({ devices }: { devices: { name: string; code: string }[] }) => ({
    subject: 'Devices',
    text: devices.map(({ name, code }) => `${code}  ${name}`).join('\n'),
  }),
  security_notice: ({ notice }: { notice: string }) => ({ subject: 'Notice', text: notice }),
});

describe('LogTransport', () => {
  const logger = { setContext: jest.fn(), info: jest.fn(), warn: jest.fn() };
  const transport = (logLinks: boolean): LogTransport =>
    new LogTransport(
      { logLinks },
      (mail) => templates.compose(mail, 'https://doors.example.com'),
      logger as unknown as PinoLogger,
    );

  it('keeps tokens out of the log', async () => {
    await transport(false).send(MAIL, 'id');
    expect(JSON.stringify(logger.info.mock.calls)).toContain('reset-password#token=[redacted]');
    expect(JSON.stringify([logger.info.mock.calls, logger.warn.mock.calls])).not.toContain(TOKEN);
  });

  it('shows them in a demonstration, where only warnings are seen', async () => {
    await transport(true).send(MAIL, 'id');
    expect(JSON.stringify(logger.warn.mock.calls)).toContain(`https://doors.example.com/reset-password#token=${TOKEN}`);
  });

  it('keeps codes out of it, too, wherever they stand', async () => {
    const code = '7K2M-9QXT-0B4H-VWEN-3J8D';
    const values = { devices: [{ name: 'Front door', code }] };
    await transport(false).send({ to: 'ada@example.com', template: 'device_claims', values }, 'id');
    expect(JSON.stringify(logger.info.mock.lastCall)).toContain('[redacted]  Front door');
    expect(JSON.stringify([logger.info.mock.calls, logger.warn.mock.calls])).not.toContain(code);
  });

  it('logs what has no token as it is', async () => {
    const mail: NewMail = {
      to: 'ada@example.com',
      template: 'security_notice',
      values: { displayName: 'Ada', notice: 'password_changed' },
    };
    await transport(false).send(mail, 'id');
    expect(JSON.stringify(logger.info.mock.lastCall)).toContain('password_changed');
  });
});
