import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PinoLogger } from 'nestjs-pino';
import type { AppConfig } from '../config/app-config.js';
import { EmbeddedBroker } from '../platform/mqtt/embedded-broker.js';
import { databaseName } from '../platform/prisma/migrations/database-name.js';

/** What one process says of itself: a line when it has started, one when it has stopped, and its faults. */
export class ProcessLog {
  private constructor(private readonly logger: PinoLogger) {}

  static async of(app: NestFastifyApplication): Promise<ProcessLog> {
    const logger = await app.resolve<PinoLogger>(PinoLogger);
    logger.setContext('Process');
    return new ProcessLog(logger);
  }

  started(app: NestFastifyApplication, config: AppConfig): void {
    const { port } = app.getHttpServer().address() as AddressInfo;
    this.logger.info(
      {
        ...config.build,
        node: process.version,
        roles: config.roles.join(','),
        http: `${config.http.host}:${String(port)}`,
        broker: config.roles.includes('hardware') ? brokerOf(app, config) : 'none',
        database: databaseName(config.database.url),
        redis: new URL(config.redis.url).host,
      },
      'Mortise has started',
    );
  }

  /** @param reason a signal, or `fault`. */
  stopped(reason: string, tookMs: number): void {
    this.logger.info({ reason, tookMs: Math.round(tookMs) }, 'Mortise has stopped');
  }

  stoppedLate(reason: string, tookMs: number, error: unknown): void {
    this.logger.error({ reason, tookMs: Math.round(tookMs), err: error }, 'Mortise did not stop in time');
  }

  refused(reason: string): void {
    this.logger.fatal({ reason }, 'The database is not for this process, which ends');
  }

  fault(kind: string, error: unknown): void {
    this.logger.error({ kind, err: error }, 'A fault that no code handled');
  }
}

/** Without what a URL may hold beside the address. */
function brokerOf(app: NestFastifyApplication, { mqtt }: AppConfig): string {
  return mqtt.brokerUrl === null
    ? `embedded, ${mqtt.host}:${String(app.get(EmbeddedBroker, { strict: false }).port)}`
    : new URL(mqtt.brokerUrl).host;
}
