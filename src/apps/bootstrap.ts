import { setTimeout as pause } from 'node:timers/promises';
import type { INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger, PinoLogger } from 'nestjs-pino';
import { AppConfig } from '../config/app-config.js';
import { AuditInterceptor } from '../platform/audit/audit.interceptor.js';
import { AccessGuard } from '../platform/auth/access.guard.js';
import { Authenticator } from '../platform/auth/authenticator.js';
import { DatabaseIdentityStore } from '../platform/prisma/database-identity-store.js';
import { DatabaseHealthService } from '../platform/prisma/database-health.service.js';
import { DatabaseSchemaStore } from '../platform/prisma/database-schema-store.js';
import { ReadinessRegistry } from '../platform/health/readiness-registry.js';
import { AdmissionLimiter } from '../platform/http/admission/admission-limiter.js';
import { acceptWaiting, closeConnections, endConnectionsWhileDraining } from '../platform/http/draining.js';
import { httpAdapter, prepareHttp } from '../platform/http/http-server.js';
import { ProblemFilter } from '../platform/http/problems/problem.filter.js';
import { FrameworkLogger } from '../platform/logging/framework-logger.js';
import { validationPipe } from '../platform/http/validation/validation.js';
import { IdempotencyInterceptor } from '../platform/idempotency/idempotency.interceptor.js';
import { MqttServer } from '../platform/mqtt/mqtt-server.js';
import { DeviceRequestLimiter } from '../platform/mqtt/requests/device-request-limiter.js';
import { RejectedMessages } from '../platform/mqtt/rejected-messages.js';
import { IpRateLimiter } from '../platform/rate-limit/ip-rate-limiter.js';
import { RateLimitGuard } from '../platform/rate-limit/rate-limit.guard.js';
import { SocketAdapter } from '../platform/realtime/socket-adapter.js';
import { Metrics } from '../platform/metrics/metrics.js';
import {
  catchFaults,
  FAULT_KINDS,
  type FaultReporter,
  inBackground,
  reportFaultsTo,
} from '../platform/process/faults.js';
import { within } from '../shared/deadline.js';
import { OperatorError } from '../shared/operator-error.js';
import { serveApiDocument } from './api-document.js';
import { serveSocketDocument } from './socket-document.js';
import { AppModule } from './app.module.js';
import { ProcessLog } from './process-log.js';
import { assertNamesAreRegistered, assertRoutesAreDeclared, BootError } from './boot-checks.js';

/** The part of the time to stop that requests under way have; the rest is for what closes after them. */
const SHARE_OF_REQUESTS = 0.8;
/** The part of the time to stop in which connections are accepted that wait for it. */
const SHARE_OF_CONNECTIONS = 0.4;
const UNVERSIONED = [
  '.well-known/*path',
  'problems',
  'problems/:code',
  'api/health',
  'api/health/devices',
  'api/health/live',
  'api/health/ready',
  'metrics',
];

/**
 * Builds the application for the roles in `config`, as production and tests alike run it; nothing listens yet.
 * @param extra further modules, for a test that plants something.
 */
export async function createApp(config: AppConfig, extra: readonly Type[] = []): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.with(config, extra),
    httpAdapter(config.http),
    {
      bufferLogs: true,
      bodyParser: false,
      abortOnError: false,
    },
  );
  app.useLogger(new FrameworkLogger(app.get(Logger)));
  app.flushLogs();
  await prepareHttp(app);
  const readiness = app.get(ReadinessRegistry);
  endConnectionsWhileDraining(app.getHttpAdapter().getInstance(), () => readiness.draining);
  if (config.roles.includes('api')) {
    app.get(DeviceRequestLimiter).install(app.getHttpAdapter().getInstance());
  }
  app.get(IpRateLimiter).install(app.getHttpAdapter().getInstance(), app.get(Authenticator));
  app.get(AdmissionLimiter).install(app.getHttpAdapter().getInstance());
  app.setGlobalPrefix('api/v1', { exclude: UNVERSIONED });
  app.useGlobalFilters(new ProblemFilter(await app.resolve(PinoLogger), app.get(RejectedMessages)));
  app.useGlobalGuards(app.get(AccessGuard), app.get(RateLimitGuard));
  app.useGlobalInterceptors(await app.resolve(AuditInterceptor), app.get(IdempotencyInterceptor));
  app.useGlobalPipes(validationPipe());
  app.useWebSocketAdapter(new SocketAdapter(app, config.http.corsOrigins, config.http.publicUrl));
  assertRoutesAreDeclared(app);
  assertNamesAreRegistered(app);
  if (config.roles.includes('hardware')) {
    connectDeviceLine(app);
  }
  if (config.roles.includes('api')) {
    serveSocketDocument(app);
    serveApiDocument(app);
  }
  return app;
}

/**
 * Joins the handlers to the device line. They inherit the global pipe and filter: without it, a hybrid application
 * would hand them whatever a device sent.
 */
function connectDeviceLine(app: INestApplication): void {
  app.connectMicroservice({ strategy: app.get(MqttServer, { strict: false }) }, { inheritAppConfig: true });
}

/**
 * Connections that wait to be accepted; Linux lets no more wait by default (`net.core.somaxconn`). Of the clients of another
 * process, which all come at once when it stops, Node's 511 would lose many: each then tries again after a second, or three.
 */
const LISTEN_BACKLOG = 4_096;

/**
 * Starts to listen: HTTP first, so that no message of a device is handled before every module has initialized.
 * @throws BootError also when the database was restored and not adopted, or has the schema of another release
 */
export async function listen(app: NestFastifyApplication): Promise<void> {
  await assertRightDatabase(app);
  const { host, port } = app.get(AppConfig).http;
  try {
    await app.listen({ host, port, backlog: LISTEN_BACKLOG });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
      throw new BootError([`Port ${String(port)} on ${host} is in use. Stop what uses it, or set PORT.`]);
    }
    throw error;
  }
  await app.startAllMicroservices();
}

/** While PostgreSQL is away, the first connection that it accepts is asked instead. */
async function assertRightDatabase(app: NestFastifyApplication): Promise<void> {
  try {
    await app.get(DatabaseHealthService).check();
  } catch (error) {
    if (error instanceof OperatorError) {
      throw new BootError([error.message]);
    }
  }
}

/**
 * Runs one process of Mortise until SIGTERM or SIGINT: then it drains, closes, and exits within a bound. A second signal
 * ends the delay of the first one, and nothing else: what is under way is answered all the same. After an exception that no
 * code caught it stops the same way, without the delay, and exits with 1: what supervises it starts another one.
 * @param extra further modules, for a test that plants something.
 */
export async function start(config: AppConfig, extra: readonly Type[] = []): Promise<void> {
  let end = (): void => process.exit(1);
  catchFaults(() => {
    end();
  });
  const app = await createApp(config, extra);
  const log = await ProcessLog.of(app);
  reportFaultsTo(faultReporter(app, log));
  const hurry = new AbortController();
  let stopping: Promise<number> | undefined;
  const stopOnce = (reason: string): Promise<number> => (stopping ??= stop(app, log, reason, hurry.signal));
  end = () => {
    hurry.abort();
    inBackground(() => stopOnce('fault').then(() => process.exit(1)));
  };
  // Before anything listens: from the first request on, a stop is an orderly one.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) {
        hurry.abort();
      } else {
        inBackground(() => stopOnce(signal).then((exitCode) => process.exit(exitCode)));
      }
    });
  }
  try {
    await listen(app);
  } catch (error) {
    // Stopped meanwhile, it may not come up any more; then how it stopped is what counts.
    if (!stopping) {
      throw error;
    }
    await stopping;
  }
  if (!stopping) {
    log.started(app, config);
  }
  const refuse = (error: Error): void => {
    endProcess(log, error);
  };
  app.get(DatabaseIdentityStore).onForeign(refuse);
  app.get(DatabaseSchemaStore).onUnfit(refuse);
}

/** Writes and counts what no code handled. */
function faultReporter(app: NestFastifyApplication, log: ProcessLog): FaultReporter {
  const faults = app
    .get(Metrics)
    .counter('mortise_faults_total', 'Errors that no code handled, by where they showed', ['kind']);
  FAULT_KINDS.forEach((kind) => {
    faults.inc({ kind }, 0);
  });
  return (kind, error) => {
    faults.inc({ kind });
    log.fault(kind, error);
  };
}

/** At once: whatever is under way belongs to the database that is gone. Started again, the process refuses. */
function endProcess(log: ProcessLog, error: Error): void {
  log.refused(error.message);
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

/**
 * Not ready from here on, but as good as before until the delay is over: a balancer takes a while to see it. It never
 * rejects, because the process ends only with its answer. @returns the exit code
 */
async function stop(app: NestFastifyApplication, log: ProcessLog, reason: string, hurry: AbortSignal): Promise<number> {
  const { http } = app.get(AppConfig);
  const began = performance.now();
  let closed = (): void => undefined;
  try {
    app.get(ReadinessRegistry).drain();
    await pause(http.drainDelayMs, undefined, { signal: hurry }).catch(() => undefined);
    const drained = performance.now();
    const server = app.getHttpServer();
    await acceptWaiting(server, http.drainTimeoutMs * SHARE_OF_CONNECTIONS);
    const spentMs = performance.now() - drained;
    closed = closeConnections(server, http.drainTimeoutMs * SHARE_OF_REQUESTS - spentMs);
    await within(http.drainTimeoutMs - spentMs, app.close());
    log.stopped(reason, performance.now() - began);
    return 0;
  } catch (error) {
    log.stoppedLate(reason, performance.now() - began, error);
    return 1;
  } finally {
    closed();
  }
}
