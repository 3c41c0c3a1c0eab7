import { type AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { eventually } from './wait.js';

/** A mail as a server received it. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly messageId: string;
  /** Decoded. */
  readonly text: string;
}

/** A real SMTP server on a port of its own, which keeps what it is given. */
export class MailServer {
  readonly mails: ReceivedMail[] = [];
  /** How many recipients were named to it, taken or not. */
  recipients = 0;
  /** What it answers to a recipient; undefined takes the mail. */
  refusal: { readonly code: number; readonly text: string } | undefined;

  private constructor(private readonly server: SMTPServer) {}

  static async start(options: SMTPServerOptions = {}): Promise<MailServer> {
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onRcptTo: (_address, _session, done) => {
        mailServer.recipients += 1;
        const { refusal } = mailServer;
        done(refusal ? Object.assign(new Error(refusal.text), { responseCode: refusal.code }) : null);
      },
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const from = session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address;
          for (const { address } of session.envelope.rcptTo) {
            mailServer.mails.push({ from, to: address, ...parse(Buffer.concat(chunks).toString()) });
          }
          done();
        });
      },
      ...options,
    });
    const mailServer = new MailServer(server);
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return mailServer;
  }

  get url(): string {
    return `smtp://127.0.0.1:${String((this.server.server.address() as AddressInfo).port)}`;
  }

  /** The next mail to somebody, among those not waited for yet. */
  async nextTo(address: string): Promise<ReceivedMail> {
    const mail = await eventually(`a mail to ${address}`, () => this.mails.find(({ to }) => to === address));
    this.mails.splice(this.mails.indexOf(mail), 1);
    return mail;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(resolve);
    });
  }
}

/** The token in the link of a mail. */
export function tokenIn({ text }: Pick<ReceivedMail, 'text'>): string {
  const token = /#token=([\w-]{43})/.exec(text)?.[1];
  if (token === undefined) {
    throw new Error(`No link in: ${text}`);
  }
  return token;
}

function parse(source: string): Pick<ReceivedMail, 'subject' | 'messageId' | 'text'> {
  const [head = '', ...body] = source.split('\r\n\r\n');
  const header = (name: string): string => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1] ?? '';
  const text = body.join('\n\n').replaceAll('\r\n', '\n');
  const quoted = /^Content-Transfer-Encoding: quoted-printable$/im.test(head);
  return {
    subject: header('Subject'),
    messageId: header('Message-ID'),
    text: quoted ? unquoted(text) : text,
  };
}

function unquoted(text: string): string {
  const bytes = text
    .replaceAll('=\n', '')
    .replace(/=([0-9A-F]{2})/g, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}
