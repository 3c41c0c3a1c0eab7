import { type DynamicModule, Global, Module } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../../config/app-config.js';
import type { NewMail } from '../../contracts/mail.js';
import { adoptionRule } from '../adoption/adoption-registry.js';
import { FeatureRegistrationModule } from '../roles/feature-registration.module.js';
import { purgeRule } from '../scheduling/purge-registry.js';
import { FailedMailsStore } from './failed-mails-store.js';
import { LogTransport } from './log-transport.js';
import { MailOutbox } from './mail-outbox.js';
import { MailTransport } from './mail-transport.js';
import { MailRequestRegistry } from './mail-request-registry.js';
import { type MailComposers, MailTemplateRegistry } from './mail-template-registry.js';
import type { RenderedMail } from './mail-text.js';
import { Mailer } from './mailer.js';
import { SmtpTransport } from './smtp-transport.js';

const DAY_MS = 86_400_000;

/** Mails that were sent or given up two weeks ago. */
const MAILS_PURGE = purgeRule({
  name: 'purge_mails',
  tables: ['mails'],
  keptFor: 14 * DAY_MS,
  from: [MailOutbox],
  purge: ({ limit, keptMs }, outbox) => outbox.purge(limit, keptMs),
});

/** They may have been sent since the backup, and the links in them open nothing any more. */
const MAILS_ADOPTION = adoptionRule({
  name: 'mails_given_up',
  from: [MailOutbox],
  adopt: (outbox) => outbox.giveUpAll('A backup was restored.'),
});

/** `Mailer` for every role. `MailSweeper` and `MailDeliveryService` are edges of the worker role. */
@Global()
@Module({
  providers: [
    Mailer,
    MailOutbox,
    FailedMailsStore,
    MailRequestRegistry,
    MailTemplateRegistry,
    MAILS_PURGE,
    MAILS_ADOPTION,
    {
      provide: MailTransport,
      inject: [AppConfig, MailTemplateRegistry, PinoLogger],
      useFactory: ({ mail, http }: AppConfig, templates: MailTemplateRegistry, logger: PinoLogger): MailTransport => {
        const render = (pending: NewMail): RenderedMail => templates.compose(pending, http.publicUrl);
        const smtpUrl = mail.smtpUrl();
        return smtpUrl === null
          ? new LogTransport(mail, render, logger)
          : new SmtpTransport(mail, smtpUrl, http.publicUrl, render);
      },
    },
  ],
  exports: [Mailer, MailOutbox, MailTransport, MailRequestRegistry, MailTemplateRegistry],
})
export class MailModule {
  /** Registers the mail templates of a feature. */
  static forFeature(composers: MailComposers): DynamicModule {
    return FeatureRegistrationModule.with(MailTemplateRegistry, composers);
  }
}
