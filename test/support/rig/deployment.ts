import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Account, createAccount } from '../accounts.fixture.js';
import { registerDevice } from '../devices.fixture.js';
import { FaultProxy } from '../fault-proxy.js';
import { testEnvironment } from '../installation.js';
import { OperatedMosquitto } from '../operated-mosquitto.js';
import { OrderSniffer } from '../order-sniffer.js';
import { LockGroup } from './lock-group.js';
import { OwnServices } from './own-services.js';
import { RestartedProcess } from './restarted-process.js';
import { StatementTap } from './statement-tap.js';

/** How its figures say what was tested. */
export const SHAPE = 'roles apart: 2 api, 2 hardware, 1 worker, Mosquitto';

/**
 * Mortise as it is deployed: each role in processes of its own under a supervisor, a PostgreSQL cluster, a Redis and a
 * Mosquitto that nothing else uses, and locks in further processes. Everything in it may be killed.
 */
export class Deployment {
  owner!: Account;
  apis: RestartedProcess[] = [];
  hardware: RestartedProcess[] = [];
  workers: RestartedProcess[] = [];
  /** Between the first process of each of these roles and PostgreSQL. */
  readonly statements = { api: new StatementTap(), hardware: new StatementTap() };
  readonly #closing: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly services: OwnServices,
    readonly broker: OperatedMosquitto,
    /** Before the broker, on the side of the backend. */
    readonly door: FaultProxy,
    /** Sees every order that goes through it. */
    readonly tap: OrderSniffer,
    readonly directory: string,
  ) {}

  static async start(): Promise<Deployment> {
    const services = await OwnServices.start();
    const broker = await OperatedMosquitto.start({ quiet: true }).catch(async (error: unknown) => {
      await services.stop();
      throw error;
    });
    const tap = new OrderSniffer();
    const door = await FaultProxy.inFrontOf(broker.backendUrl, () => tap.listen());
    const directory = await mkdtemp(join(tmpdir(), 'mortise-rig-'));
    const deployment = new Deployment(services, broker, door, tap, directory);
    try {
      await deployment.startProcesses();
    } catch (error) {
      await deployment.stop();
      throw error;
    }
    return deployment;
  }

  get processes(): RestartedProcess[] {
    return [...this.apis, ...this.hardware, ...this.workers];
  }

  get apiUrls(): string[] {
    return this.apis.map(({ url }) => url);
  }

  /** Groups of new locks, each group in a process of its own and each lock with these faults, online. */
  async addLocks<Groups extends readonly (readonly (readonly string[])[])[]>(
    ...faults: Groups
  ): Promise<{ [G in keyof Groups]: LockGroup }> {
    const [api = ''] = this.apiUrls;
    const registered = await Promise.all(
      faults.map((ofGroup) =>
        Promise.all(ofGroup.map(async (ofLock) => ({ device: await registerDevice(api, this.owner), faults: ofLock }))),
      ),
    );
    await this.broker.addAccounts(registered.flat().map(({ device }) => device));
    const groups = registered.map((locks) => {
      const { directory, apiUrls: apis, broker } = this;
      const group = new LockGroup({ locks, mqttUrl: broker.deviceUrl, apis, directory });
      this.#closing.push(() => group.stop());
      return group;
    });
    await Promise.all(groups.map((group) => group.online()));
    return groups as { [G in keyof Groups]: LockGroup };
  }

  /** Runs at the end, before the servers are stopped. */
  onStop(close: () => Promise<unknown>): void {
    this.#closing.push(close);
  }

  async ready(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.ready()));
  }

  /** Ends everything, also after a failure anywhere; the first error of many is thrown when all is gone. */
  async stop(): Promise<void> {
    const closing = this.#closing.splice(0).map((close) => close());
    const ended = await Promise.allSettled([...closing, ...this.processes.map((process) => process.stop())]);
    const servers = [this.door.close(), this.broker.server.stop(), this.services.stop()];
    ended.push(...(await Promise.allSettled(servers)));
    this.tap.close();
    await rm(this.directory, { recursive: true, force: true });
    const failed = ended.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') {
      throw failed.reason;
    }
  }

  private async startProcesses(): Promise<void> {
    const { databaseUrl, redisUrl } = this.services;
    const tapped = async (statements: StatementTap): Promise<Record<string, string>> => {
      const proxy = await FaultProxy.inFrontOf(databaseUrl, () => statements.listen());
      this.onStop(() => proxy.close());
      return { DATABASE_URL: proxy.url };
    };
    const env = await testEnvironment(databaseUrl, {
      REDIS_URL: redisUrl,
      JWT_ACCESS_EXPIRY: '24h',
      LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'warn',
      ...this.broker.env(this.door.url),
    });
    const run = (name: string, more: Record<string, string> = {}): Promise<RestartedProcess> =>
      RestartedProcess.start(name, { ...env, ...more, ROLES: name.split(' ')[0] ?? '' });
    this.apis = [await run('api 1', await tapped(this.statements.api)), await run('api 2')];
    this.hardware = [await run('hardware 1', await tapped(this.statements.hardware)), await run('hardware 2')];
    this.workers = [await run('worker')];
    await this.ready();
    this.owner = await createAccount(this.apiUrls[0] ?? '');
  }
}
