import { join } from 'node:path';
import { keysFromUrl } from '../../tools/virtual-lock/key-ring.js';
import { VirtualLock } from '../../tools/virtual-lock/virtual-lock.js';
import { MailServer, tokenIn } from './mail-server.js';
import { type Account, signIn } from './accounts.fixture.js';
import { type Answer, request } from './rest.js';
import { TestApp } from './test-app.js';

type Body = Record<string, unknown>;

/** The whole application, all roles in one process, with a mail server: for what people do from end to end. */
export class JourneyFixture {
  private constructor(
    readonly application: TestApp,
    readonly mails: MailServer,
  ) {}

  static async start(): Promise<JourneyFixture> {
    const mails = await MailServer.start();
    return new JourneyFixture(await TestApp.start({ env: { SMTP_URL: mails.url } }), mails);
  }

  async stop(): Promise<void> {
    await this.application.stop();
    await this.mails.stop();
  }

  /** As this person, or as a stranger. */
  ask<T = Body>(
    who: Pick<Account, 'accessToken'> | null,
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<T>> {
    return request<T>(this.application.url, method, `/api/v1${path}`, {
      ...(who === null ? {} : { token: who.accessToken }),
      body,
      headers,
    });
  }

  /** The status alone. */
  async statusOf(...asked: Parameters<JourneyFixture['ask']>): Promise<number> {
    return (await this.ask(...asked)).status;
  }

  /** Registers and signs in. */
  async join(email: string, password: string): Promise<Account> {
    const { status, body } = await this.ask<{ id: string }>(null, 'POST', '/auth/register', { email, password });
    if (status !== 201) {
      throw new Error(`Registering failed: ${JSON.stringify(body)}`);
    }
    return { id: body.id, email, password, ...(await signIn(this.application.url, email, password)) };
  }

  /** A lock with the credentials of a device, which goes on until it is stopped. */
  async startLock(deviceId: string, token: string): Promise<VirtualLock> {
    const { url, mqttUrl, directory } = this.application;
    const lock = new VirtualLock({
      deviceId,
      token,
      url: mqttUrl,
      keys: keysFromUrl(`${url}/.well-known/order-keys.json`),
      journalPath: join(directory, 'lock.ndjson'),
      heartbeatMs: 1_000,
    });
    await lock.start();
    return lock;
  }

  /** Signs in again, with another password where one is given. */
  async signInAgain(account: Account, password = account.password): Promise<Account> {
    return { ...account, password, ...(await signIn(this.application.url, account.email, password)) };
  }

  /** The secret in the link of the next mail to this address. */
  async mailedToken(email: string): Promise<string> {
    return tokenIn(await this.mails.nextTo(email));
  }
}
