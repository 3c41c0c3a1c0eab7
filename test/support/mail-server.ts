import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { eventually } from './wait.js';

/** A mail as a server received it. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: string;
  /** Decoded. */
  readonly subject: string;
  readonly messageId: string;
  /** All header lines, unfolded. */
  readonly head: string;
  /** Media types of its parts, in their order. */
  readonly types: readonly string[];
  /** Decoded. */
  readonly text: string;
  /** Decoded. */
  readonly html: string;
}

/** What it answers to a recipient. */
export interface Refusal {
  readonly code: number;
  readonly text: string;
}

type Message =
  | { readonly port: number }
  | { readonly recipients: number }
  | { readonly mail: { readonly from: string; readonly to: string; readonly source: string } };

/** A real SMTP server, a process of its own that ends with the test at the latest. It keeps what it is given. */
export class MailServer {
  readonly mails: ReceivedMail[] = [];
  readonly #asked: ((recipients: number) => void)[] = [];
  #port = 0;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (message: Message) => {
      this.hear(message);
    });
  }

  /** @param account the only one whose mail it takes; without it, no login is needed. */
  static async start(account?: { readonly user: string; readonly password: string }): Promise<MailServer> {
    const [guard, script] = ['end-with-parent.mjs', 'mail-server-process.mjs'].map((file) =>
      join(import.meta.dirname, file),
    ) as [string, string];
    const child = spawn(process.execPath, ['--import', guard, script, JSON.stringify(account ?? null)], {
      env: { PATH: process.env.PATH },
      stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
    });
    const server = new MailServer(child);
    await eventually('the mail server listens', () => server.#port > 0);
    return server;
  }

  get url(): string {
    return `smtp://127.0.0.1:${String(this.#port)}`;
  }

  /** From now on it refuses every recipient like this; null takes mail again. */
  async refuse(refusal: Refusal | null): Promise<void> {
    await this.tell({ refusal });
  }

  /** From now on it takes so long for each mail, and answers nothing to one for an address that begins with `hangsFor`. */
  async pace(pace: { readonly delayMs: number; readonly hangsFor?: string }): Promise<void> {
    await this.tell({ pace: { hangsFor: null, ...pace } });
  }

  /** How many recipients were named to it, taken or not. */
  recipients(): Promise<number> {
    return this.tell({});
  }

  /** The next mail to this email, among those not waited for yet. */
  async nextTo(address: string): Promise<ReceivedMail> {
    const mail = await eventually(`a mail to ${address}`, () => this.mails.find(({ to }) => to === address));
    this.mails.splice(this.mails.indexOf(mail), 1);
    return mail;
  }

  async stop(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.kill();
    await ended;
  }

  private tell(message: {
    refusal?: Refusal | null;
    pace?: { readonly delayMs: number; readonly hangsFor: string | null };
  }): Promise<number> {
    return new Promise((resolve) => {
      this.#asked.push(resolve);
      this.child.send(message);
    });
  }

  private hear(message: Message): void {
    if ('port' in message) {
      this.#port = message.port;
    } else if ('recipients' in message) {
      this.#asked.shift()?.(message.recipients);
    } else {
      const { from, to, source } = message.mail;
      this.mails.push({ from, to, ...parse(source) });
    }
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

/** A mail, or one part of it: its header lines, unfolded, and what follows them. */
interface Entity {
  readonly head: string;
  readonly body: string;
}

function parse(source: string): Omit<ReceivedMail, 'from' | 'to'> {
  const mail = entityOf(source.replaceAll('\r\n', '\n'));
  const parts = partsOf(mail);
  return {
    head: mail.head,
    subject: decodedWords(headerOf(mail, 'Subject')),
    messageId: headerOf(mail, 'Message-ID'),
    types: parts.map((part) => headerOf(part, 'Content-Type').replace(/;.*/, '')),
    text: decoded(parts.find((part) => headerOf(part, 'Content-Type').startsWith('text/plain'))),
    html: decoded(parts.find((part) => headerOf(part, 'Content-Type').startsWith('text/html'))),
  };
}

function entityOf(source: string): Entity {
  const end = source.indexOf('\n\n');
  return { head: source.slice(0, end).replace(/\n[ \t]+/g, ' '), body: source.slice(end + 2) };
}

function headerOf({ head }: Entity, name: string): string {
  return new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1] ?? '';
}

/** The encoded words of a header (RFC 2047). Their bytes are put together first: a character may begin in one and end in the next. */
function decodedWords(value: string): string {
  return value.replace(/=\?utf-8\?[bq]\?[^?]*\?=(?:\s+=\?utf-8\?[bq]\?[^?]*\?=)*/gi, (words) =>
    Buffer.concat(
      [...words.matchAll(/=\?utf-8\?([bq])\?([^?]*)\?=/gi)].map(([, encoding, text = '']) =>
        encoding?.toLowerCase() === 'b' ? Buffer.from(text, 'base64') : unquotedBytes(text.replaceAll('_', ' ')),
      ),
    ).toString(),
  );
}

function partsOf(mail: Entity): Entity[] {
  const boundary = /^multipart\/alternative;.*boundary="([^"]+)"/.exec(headerOf(mail, 'Content-Type'))?.[1];
  return boundary === undefined
    ? [mail]
    : mail.body
        .split(`--${boundary}`)
        .slice(1, -1)
        .map((part) => entityOf(part.replace(/^\n|\n$/g, '')));
}

function decoded(part: Entity | undefined): string {
  if (!part) {
    return '';
  }
  const encoding = headerOf(part, 'Content-Transfer-Encoding');
  if (encoding === 'base64') {
    return Buffer.from(part.body, 'base64').toString();
  }
  return encoding === 'quoted-printable' ? unquoted(part.body) : part.body;
}

function unquoted(text: string): string {
  return unquotedBytes(text.replaceAll('=\n', '')).toString();
}

function unquotedBytes(text: string): Buffer {
  const bytes = text.replace(/=([0-9A-F]{2})/g, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1');
}
