import type { Provider, Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { PinoLogger } from 'nestjs-pino';
import { ConfigModule } from '../../src/config/config.module.js';
import { loadConfig } from '../../src/config/load-config.js';
import { AuditFailureWriter } from '../../src/platform/audit/audit-failure-writer.js';
import { AuditRegistry } from '../../src/platform/audit/audit-registry.js';
import { AccessGuard } from '../../src/platform/auth/access.guard.js';
import { TokenInvalidError } from '../../src/platform/auth/auth.errors.js';
import { Authenticator } from '../../src/platform/auth/authenticator.js';
import { TicketInvalidError } from '../../src/platform/auth/tickets/ticket.errors.js';
import type { Principal } from '../../src/platform/auth/principal.js';
import { TicketAuthenticator } from '../../src/platform/auth/tickets/ticket-authenticator.js';
import { ResourceResolverRegistry } from '../../src/platform/auth/resource-resolver-registry.js';
import { AuditWriter } from '../../src/platform/audit/audit-writer.js';
import { CacheKeyFactory } from '../../src/platform/cache/cache-key-factory.js';
import { CacheMetrics } from '../../src/platform/cache/cache-metrics.js';
import { CacheReader } from '../../src/platform/cache/cache-reader.js';
import { CacheStore } from '../../src/platform/cache/cache-store.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { LookupRegistry } from '../../src/platform/rate-limit/lookup-registry.js';
import { RateLimiter } from '../../src/platform/rate-limit/rate-limiter.js';
import { httpAdapter, prepareHttp } from '../../src/platform/http/http-server.js';
import { ProblemFilter } from '../../src/platform/http/problems/problem.filter.js';
import { validationPipe } from '../../src/platform/http/validation/validation.js';
import { IdempotencyService } from '../../src/platform/idempotency/idempotency.service.js';
import { IdempotencyInterceptor } from '../../src/platform/idempotency/idempotency.interceptor.js';
import { LoggingModule } from '../../src/platform/logging/logging.module.js';
import { Metrics } from '../../src/platform/metrics/metrics.js';
import { MetricsModule } from '../../src/platform/metrics/metrics.module.js';
import { RejectedMessages } from '../../src/platform/mqtt/rejected-messages.js';

/** Who the bearer token `ada` stands for. */
export const ADA: Principal = {
  userId: '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55',
  sessionId: '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c56',
  role: 'USER',
};
export const AS_ADA = { authorization: 'Bearer ada' };

/** Controllers behind the real guard, pipe and filter; their services are the test's. Nothing listens: use `inject`. */
export async function edgeApp(controllers: Type[], providers: Provider[]): Promise<NestFastifyApplication> {
  const config = loadConfig({
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    DATABASE_URL: 'postgres://nowhere',
    REDIS_URL: 'redis://nowhere',
    MASTER_KEY: Buffer.alloc(32).toString('base64'),
  });
  const authenticator: Pick<Authenticator, 'authenticate'> = {
    authenticate: (token) => (token === 'ada' ? Promise.resolve(ADA) : Promise.reject(new TokenInvalidError())),
  };
  const module = await Test.createTestingModule({
    imports: [ConfigModule.with(config), LoggingModule.forRoot(), MetricsModule],
    controllers,
    providers: [
      AccessGuard,
      AuditRegistry,
      ResourceResolverRegistry,
      { provide: Authenticator, useValue: authenticator },
      { provide: TicketAuthenticator, useValue: { redeem: () => Promise.reject(new TicketInvalidError()) } },
      IdempotencyInterceptor,
      { provide: IdempotencyService, useValue: { isRepeat: () => Promise.resolve(false) } },
      { provide: AuditFailureWriter, useValue: { recordRefusal: () => Promise.resolve() } },
      // Nothing is cached where there is no Redis.
      CacheReader,
      CacheKeyFactory,
      CacheMetrics,
      LookupRegistry,
      { provide: CacheStore, useValue: { idOf: () => '', questionOf: () => null } },
      { provide: RateLimiter, useValue: {} },
      { provide: Transactions, useValue: {} },
      { provide: AuditWriter, useValue: {} },
      ...providers,
    ],
  }).compile();
  const app = module.createNestApplication<NestFastifyApplication>(httpAdapter(config.http), {
    bodyParser: false,
    logger: false,
  });
  await prepareHttp(app);
  app.useGlobalFilters(
    new ProblemFilter(
      await app.resolve(PinoLogger),
      new RejectedMessages(await app.resolve(PinoLogger), app.get(Metrics)),
    ),
  );
  app.useGlobalGuards(app.get(AccessGuard));
  app.useGlobalPipes(validationPipe());
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return app;
}
