import type { PinoLogger } from 'nestjs-pino';
import type { AppConfig } from '../../config/app-config.js';
import type { NewMail } from '../../contracts/mail.js';
import { redacted } from './mail-template-registry.js';
import type { RenderedMail } from './mail-text.js';
import { MailTransport } from './mail-transport.js';

/** Without an SMTP server, mail goes to the log: without its tokens, unless this is a demonstration. */
export class LogTransport extends MailTransport {
  constructor(
    private readonly mail: Pick<AppConfig['mail'], 'logLinks'>,
    private readonly render: (mail: NewMail) => RenderedMail,
    private readonly logger: PinoLogger,
  ) {
    super();
    logger.setContext(LogTransport.name);
  }

  send(mail: NewMail, mailId: string): Promise<void> {
    const { subject, text } = this.render(this.mail.logLinks ? mail : redacted(mail));
    // The demonstration shows warnings only, and its mails are meant to be seen.
    this.logger[this.mail.logLinks ? 'warn' : 'info']({ mailId, to: mail.to, subject, text }, 'Mail (no SMTP_URL)');
    return Promise.resolve();
  }
}
