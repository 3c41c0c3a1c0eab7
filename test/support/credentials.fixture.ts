import { insertAccount, type InsertedAccount } from './accounts.fixture.js';
import { deviceClient, type RegisteredDevice } from './devices.fixture.js';
import { type Answer, request } from './rest.js';
import { ScriptedDevice } from './scripted-device.js';
import { TestApp } from './test-app.js';

/** What `activation-code` answers. */
export interface IssuedCode {
  readonly activation: { readonly code: string; readonly expiresAt: string } | null;
}

interface ActivatedBody {
  readonly deviceToken: string;
  readonly brokerUrl: string;
  readonly orderKeys: object[];
  readonly code?: string;
}

/** How soon the connections of a token that has ended are closed. */
export const CLOSED_WITHIN_MS = 2_000;

/** An application with the owner of devices that are activated and get other tokens. */
export class CredentialsFixture {
  readonly ask = deviceClient(() => this.application.url);

  private constructor(
    readonly application: TestApp,
    readonly owner: InsertedAccount,
  ) {}

  static async start(env: Readonly<Record<string, string>> = {}): Promise<CredentialsFixture> {
    const limited = { RATE_LIMIT_SCALE: '1', TRUSTED_PROXIES: '127.0.0.1/32' };
    const application = await TestApp.start({ env: { ...limited, ...env } });
    return new CredentialsFixture(application, await insertAccount(application));
  }

  async newCode(id: string, who = this.owner): Promise<string> {
    const { status, body } = await this.ask<IssuedCode>(who, 'POST', `/${id}/activation-code`);
    if (status !== 200) {
      throw new Error(`No code was made: ${JSON.stringify(body)}`);
    }
    return body.activation?.code ?? '';
  }

  activate(deviceId: string, code: string, from = '192.0.2.1'): Promise<Answer<ActivatedBody>> {
    const headers = { 'x-forwarded-for': from };
    return request(this.application.url, 'POST', '/api/v1/devices/activate', { body: { deviceId, code }, headers });
  }

  /** Whether the broker lets it in. */
  connects(device: RegisteredDevice): Promise<boolean> {
    return ScriptedDevice.connect(this.application.mqttUrl, device).then(
      (line) => line.end().then(() => true),
      () => false,
    );
  }

  stop(): Promise<void> {
    return this.application.stop();
  }
}

/** Milliseconds until a connection is closed. */
export async function closedAfter(line: ScriptedDevice): Promise<number> {
  const begun = performance.now();
  await line.closed();
  return performance.now() - begun;
}
