import { createHmac, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export const TWILIO_ACCOUNT = 'AC0123456789abcdef0123456789abcdef';
export const TWILIO_TOKEN = 'twilio-secret';
/** The address that Twilio knows; the test's application answers at another one. */
export const TWILIO_CALLBACK = 'https://doors.example.com/api/v1/notifications/sms-status';

/** A text message that was taken. */
export interface TakenSms {
  readonly sid: string;
  readonly to: string;
  readonly text: string;
  readonly callback: string;
}

/** Twilio's Messages API, as far as it is used: credentials are checked, and reports are signed as its documents say. */
export class TwilioServer {
  /** Those that were answered with 201. */
  readonly taken: TakenSms[] = [];
  asked = 0;
  /** Those that get no answer. */
  hanging = 0;
  /** Of numbers: the code of an error, a connection that ends without an answer, or one that stays open without any. */
  readonly refusals = new Map<string, { status: number; code: number } | 'silence' | 'hanging'>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const answer = (status: number, body: object): void => {
          response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
        };
        this.asked += 1;
        const credentials = Buffer.from(`${TWILIO_ACCOUNT}:${TWILIO_TOKEN}`).toString('base64');
        if (request.headers.authorization !== `Basic ${credentials}`) {
          answer(401, { code: 20003 });
          return;
        }
        const form = new URLSearchParams(Buffer.concat(chunks).toString());
        const refusal = this.refusals.get(form.get('To') ?? '');
        if (refusal === 'silence') {
          request.socket.destroy();
        } else if (refusal === 'hanging') {
          this.hanging += 1;
        } else if (refusal) {
          answer(refusal.status, { code: refusal.code });
        } else {
          const sid = `SM${randomBytes(16).toString('hex')}`;
          const [to, text, callback] = ['To', 'Body', 'StatusCallback'].map((name) => form.get(name) ?? '');
          this.taken.push({ sid, to: to!, text: text!, callback: callback! });
          answer(201, { sid, status: 'queued' });
        }
      });
    });
  }

  static async start(): Promise<TwilioServer> {
    const server = new TwilioServer();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get settings(): Readonly<Record<string, string>> {
    return {
      TWILIO_ACCOUNT_SID: TWILIO_ACCOUNT,
      TWILIO_AUTH_TOKEN: TWILIO_TOKEN,
      TWILIO_FROM: '+15005550006',
      TWILIO_URL: `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`,
      TWILIO_STATUS_CALLBACK: TWILIO_CALLBACK,
    };
  }

  sentTo(number: string): TakenSms[] {
    return this.taken.filter(({ to }) => to === number);
  }

  /** The six digits that a number was sent last. */
  codeFor(number: string): string {
    const code = /\b\d{6}\b/.exec(this.sentTo(number).at(-1)?.text ?? '')?.[0];
    if (code === undefined) {
      throw new Error(`${number} was sent no code.`);
    }
    return code;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** "Validating signatures from Twilio": the URL, and behind it each parameter with its value, by their names. */
export function twilioSignature(url: string, form: Readonly<Record<string, string>>, token = TWILIO_TOKEN): string {
  const content = Object.keys(form)
    .sort()
    .reduce((text, name) => text + name + form[name]!, url);
  return createHmac('sha1', token).update(Buffer.from(content, 'utf-8')).digest('base64');
}
