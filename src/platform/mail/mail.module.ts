import { Global, Module } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../config/app-config.js';
import { LogTransport } from './log-transport.js';
import { MailOutbox } from './mail-outbox.js';
import { MailTransport } from './mail-transport.js';
import { MailRequestRegistry } from './mail-request-registry.js';
import { Mailer } from './mailer.js';
import { SmtpTransport } from './smtp-transport.js';

/** `Mailer` for everybody. The worker's edges (`MailSweeper`, `MailDeliveryService`) stand in the module of that role. */
@Global()
@Module({
  providers: [
    Mailer,
    MailOutbox,
    MailRequestRegistry,
    {
      provide: MailTransport,
      inject: [AppConfig, PinoLogger],
      useFactory: ({ mail, http }: AppConfig, logger: PinoLogger): MailTransport => {
        const smtpUrl = mail.smtpUrl();
        return smtpUrl === null
          ? new LogTransport(mail, http.publicUrl, logger)
          : new SmtpTransport(mail, smtpUrl, http.publicUrl);
      },
    },
  ],
  exports: [Mailer, MailOutbox, MailTransport, MailRequestRegistry],
})
export class MailModule {}
