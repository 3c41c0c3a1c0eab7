import { type DynamicModule, Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { AppConfig } from '../../config/app-config.js';
import { requestContext } from '../context/request-context.js';
import { redact } from './redact.js';

/** JSON logs: constant message plus fields, with the ids of the request, message or job that caused the line. */
@Module({})
export class LoggingModule {
  static forRoot(): DynamicModule {
    return {
      module: LoggingModule,
      imports: [
        LoggerModule.forRootAsync({
          inject: [AppConfig],
          useFactory: (config: AppConfig) => ({
            pinoHttp: {
              level: config.logLevel,
              formatters: { log: (fields: Record<string, unknown>) => redact(fields) },
              serializers: { err: (error: object) => redact(error) },
              mixin: contextFields,
            },
            // One line per request is written by a Fastify hook (platform/http/request-hooks): no middleware is needed.
            forRoutes: [],
          }),
        }),
      ],
    };
  }
}

function contextFields(): Record<string, unknown> {
  const context = requestContext();
  return context
    ? {
        requestId: context.requestId,
        traceId: context.traceId,
        actor: context.actor,
        ...(context.deviceId === undefined ? {} : { deviceId: context.deviceId }),
      }
    : {};
}
