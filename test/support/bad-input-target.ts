import { expect } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { keysFromUrl } from '../../tools/virtual-lock/key-ring.js';
import { VirtualLock } from '../../tools/virtual-lock/virtual-lock.js';
import { type ExactAnswer, exactRequest, type ExactRequest } from './exact-http.js';
import { type Account, createAccount, signIn } from './accounts.fixture.js';
import { registerDevice, type RegisteredDevice, sendCommand } from './devices.fixture.js';
import { createInstallation, type Installation } from './installation.js';
import { ApplicationProcess } from './process.js';
import { Sql } from './sql.js';
import { eventually } from './wait.js';

/** The application as a process, with a device and an administrator whom every route admits, to send bad input to. */
export class BadInputTarget {
  /** How many requests were sent. */
  sent = 0;

  private constructor(
    private readonly installation: Installation,
    readonly application: ApplicationProcess,
    readonly owner: Account,
    readonly device: RegisteredDevice,
  ) {}

  static async start(): Promise<BadInputTarget> {
    const installation = await createInstallation({ LOG_LEVEL: 'warn' });
    const application = await ApplicationProcess.start(installation.env);
    const person = await createAccount(application.url);
    const sql = await Sql.open(installation.databaseUrl);
    await sql.rows(`UPDATE users SET role = 'ADMIN' WHERE id = $1`, [person.id]);
    await sql.end();
    const owner = { ...person, ...(await signIn(application.url, person.email)) };
    return new BadInputTarget(installation, application, owner, await registerDevice(application.url, owner));
  }

  get url(): string {
    return this.application.url;
  }

  async stop(): Promise<void> {
    await this.application.stop();
    await this.installation.remove();
  }

  /** Sends exactly this, signed in and with an idempotency key unless told otherwise. */
  send(request: ExactRequest): Promise<ExactAnswer> {
    this.sent += 1;
    const headers = {
      authorization: `Bearer ${this.owner.accessToken}`,
      'idempotency-key': randomUUID(),
      ...request.headers,
    };
    return exactRequest(this.url, { ...request, headers });
  }

  post(body: string | Buffer, path: string, headers: Record<string, string> = {}): Promise<ExactAnswer> {
    return this.send({ method: 'POST', path, body, headers });
  }

  /** The process runs, has logged no error, and unlocks a door. */
  async expectHealthy(): Promise<void> {
    const device = await registerDevice(this.url, this.owner);
    const lock = new VirtualLock({
      deviceId: device.id,
      token: device.token,
      url: this.application.mqttUrl,
      keys: keysFromUrl(`${this.url}/.well-known/order-keys.json`),
      journalPath: join(this.installation.directory, `${device.id}.ndjson`),
    });
    await lock.start();
    await eventually('the door opens', async () => {
      const unlock = { name: 'unlock_door' };
      const { status, body } = await sendCommand(this.url, this.owner, device.id, unlock, { waitSeconds: 10 });
      return status === 200 && body.state === 'EXECUTED';
    });
    await lock.stop();
    expect(this.application.hasEnded).toBe(false);
    expect(this.application.output).not.toMatch(/"level":(50|60)/);
  }
}
