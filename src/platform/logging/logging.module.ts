import { type DynamicModule, Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { AppConfig } from '../../config/app-config.js';
import { requestContext } from '../context/request-context.js';

/** Never printed, wherever they turn up in a logged object. */
const SECRET_MEMBERS = [
  'password',
  'passwordHash',
  'token',
  'accessToken',
  'refreshToken',
  'deviceToken',
  'authorization',
  'cookie',
  'set-cookie',
  'code',
  'pin',
  'privateKey',
];
/** pino matches paths, not names: the depth is bounded, and nothing of ours logs deeper objects. */
const REDACTED_PATHS = SECRET_MEMBERS.filter((name) => name !== 'code').flatMap((name) => {
  const member = name.includes('-') ? `["${name}"]` : `.${name}`;
  return [member.replace(/^\./, ''), `*${member}`, `*.*${member}`, `*.*.*${member}`];
});

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
              redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
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
