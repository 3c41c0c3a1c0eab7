import { createTransport } from 'nodemailer';
import type { AppConfig } from '../../config/app-config.js';
import type { NewMail } from '../../contracts/mail.js';
import { checkedHeaders } from './mail-headers.js';
import { mailHtml } from './mail-html.js';
import type { RenderedMail } from './mail-text.js';
import { MailRefusedError, MailTransport } from './mail-transport.js';

const CONNECT_WITHIN_MS = 10_000;
const ANSWER_WITHIN_MS = 20_000;

/** SMTP, over connections that open when there is something to say and close when they were idle for a while. */
export class SmtpTransport extends MailTransport {
  readonly #smtp;
  readonly #domain: string;

  constructor(
    private readonly mail: Pick<AppConfig['mail'], 'from'>,
    smtpUrl: string,
    private readonly publicUrl: string,
    private readonly render: (mail: NewMail) => RenderedMail,
  ) {
    super();
    this.#domain = new URL(publicUrl).hostname;
    this.#smtp = createTransport({
      ...connectionOf(new URL(smtpUrl)),
      connectionTimeout: CONNECT_WITHIN_MS,
      greetingTimeout: CONNECT_WITHIN_MS,
      socketTimeout: ANSWER_WITHIN_MS,
      dnsTimeout: CONNECT_WITHIN_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  async send(mail: NewMail, mailId: string): Promise<void> {
    const rendered = this.render(mail);
    const message = {
      from: this.mail.from,
      to: { name: '', address: mail.to },
      subject: rendered.subject,
      text: rendered.text,
      html: mailHtml(rendered, this.publicUrl),
      headers: checkedHeaders(rendered.headers),
      messageId: `<${mailId}@${this.#domain}>`,
    };
    try {
      await this.#smtp.sendMail(message);
    } catch (error) {
      throw refusalOf(error);
    }
  }
}

/** `smtps` from the first byte, `smtp` by STARTTLS where the server offers it; `?requireTLS=true` insists on it. */
function connectionOf(url: URL): Parameters<typeof createTransport>[0] & object {
  const secure = url.protocol === 'smtps:';
  return {
    host: url.hostname,
    port: Number(url.port || (secure ? 465 : 587)),
    secure,
    requireTLS: url.searchParams.get('requireTLS') === 'true',
    ...(url.username === ''
      ? {}
      : { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }),
  };
}

function refusalOf(error: unknown): MailRefusedError {
  const { code = 'unknown', responseCode = 0 } = error as { code?: string; responseCode?: number };
  // The envelope was refused with a final answer: this person has no such mailbox.
  const permanent = code === 'EENVELOPE' && responseCode >= 500;
  return new MailRefusedError([code, responseCode || ''].join(' ').trim(), permanent, { cause: error });
}
