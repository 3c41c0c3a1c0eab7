import type { AddressInfo } from 'node:net';
import type { DynamicModule, Type } from '@nestjs/common';
import type pg from 'pg';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { createApp, listen } from '../../src/apps/bootstrap.js';
import type { AppConfig } from '../../src/config/app-config.js';
import { ConfigModule } from '../../src/config/config.module.js';
import { loadConfig } from '../../src/config/load-config.js';
import { closeConnections } from '../../src/platform/http/draining.js';
import { httpAdapter } from '../../src/platform/http/http-server.js';
import { LoggingModule } from '../../src/platform/logging/logging.module.js';
import { Metrics } from '../../src/platform/metrics/metrics.js';
import { EmbeddedBroker } from '../../src/platform/mqtt/embedded-broker.js';
import { Database } from '../../src/platform/prisma/database.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { createInstallation, type Installation } from './installation.js';

export interface TestAppOptions {
  /** Settings that differ from those of tests; `DATABASE_URL` and `REDIS_URL` make it share another process's. */
  readonly env?: Readonly<Record<string, string>>;
  /** Modules that the test adds to the application. */
  readonly extra?: readonly Type[];
  /** Boots only these on top of configuration and logging, and opens no port: for tests of one part of the platform. */
  readonly only?: { readonly modules: readonly (Type | DynamicModule)[]; readonly providers?: readonly Type[] };
}

/** How long what is under way has when the application stops. */
const CLOSE_WITHIN_MS = 5_000;

/**
 * One process of the application as production runs it, on a database, a Redis and a broker of its own unless told
 * otherwise.
 */
export class TestApp {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** Where devices log in: the embedded broker, or the one that `env` names. */
  readonly mqttUrl: string;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** A folder of its own for files that a test needs. */
  readonly directory: string;

  private constructor(
    readonly nest: NestFastifyApplication,
    config: AppConfig,
    private readonly installation: Installation,
  ) {
    const address = nest.getHttpServer().address() as AddressInfo | null;
    const hasBroker = address !== null && config.roles.includes('hardware');
    const brokerPort = hasBroker ? this.get(EmbeddedBroker).port : 0;
    this.url = `http://127.0.0.1:${String(address?.port ?? 0)}`;
    this.mqttUrl = config.mqtt.brokerUrl ?? `mqtt://127.0.0.1:${String(brokerPort)}`;
    this.databaseUrl = installation.databaseUrl;
    this.redisUrl = config.redis.url;
    this.directory = installation.directory;
  }

  static async start({ env, extra, only }: TestAppOptions = {}): Promise<TestApp> {
    const installation = await createInstallation(env);
    let nest: NestFastifyApplication | undefined;
    try {
      const config = loadConfig(installation.env);
      nest = only ? await createPart(config, only) : await createApp(config, extra);
      await (only ? nest.init() : listen(nest));
      return new TestApp(nest, config, installation);
    } catch (error) {
      await nest?.close();
      await installation.remove();
      throw error;
    }
  }

  get<T>(token: abstract new (...args: never[]) => T): T {
    return this.nest.get<T>(token, { strict: false });
  }

  /**
   * Reads or changes the database past the application's services. A change of rows is a transaction of the application, so that
   * no cached answer outlives it.
   */
  async rows<Row extends object>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const ask = async (): Promise<Row[]> => this.get(Database).query<Row & pg.QueryResultRow>('', sql, values);
    return /^\s*(INSERT|UPDATE|DELETE)\b/i.test(sql)
      ? this.get(Transactions).independently(ask)
      : (await this.get(Database).pool.query<Row & pg.QueryResultRow>(sql, [...values])).rows;
  }

  /** The value of one series as Prometheus would scrape it; 0 if it does not exist yet. */
  async metric(series: string): Promise<number> {
    const line = (await this.get(Metrics).render()).split('\n').find((text) => text.startsWith(`${series} `));
    return line === undefined ? 0 : Number(line.slice(series.length));
  }

  async stop(): Promise<void> {
    // As a process does that stops: a client that has opened a connection and asked nothing would keep it for ever.
    const closed = closeConnections(this.nest.getHttpServer(), CLOSE_WITHIN_MS);
    try {
      await this.nest.close();
    } finally {
      closed();
    }
    await this.installation.remove();
  }
}

async function createPart(
  config: AppConfig,
  { modules, providers = [] }: NonNullable<TestAppOptions['only']>,
): Promise<NestFastifyApplication> {
  const module = await Test.createTestingModule({
    imports: [ConfigModule.with(config), LoggingModule.forRoot(), ...modules],
    providers: [...providers],
  }).compile();
  return module.createNestApplication<NestFastifyApplication>(httpAdapter(config.http), {
    bodyParser: false,
    logger: false,
  });
}
