import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { CONTROLLER_WATERMARK } from '@nestjs/common/constants.js';
import type { AppConfig } from '../config/app-config.js';
import { ConfigModule } from '../config/config.module.js';
import { AuditInterceptor } from '../platform/audit/audit.interceptor.js';
import { AccessGuard } from '../platform/auth/access.guard.js';
import { IdempotencyInterceptor } from '../platform/idempotency/idempotency.interceptor.js';
import { FEATURES } from './features.js';
import { PLATFORM_EDGES, PLATFORM_MODULES, ROLE_MODULES } from './platform.js';

/** One process: the platform, the services of every feature, and the edges of its own roles. */
@Module({})
export class AppModule {
  /** @param extra further modules, for a test that plants something. */
  static with(config: AppConfig, extra: readonly Type[]): DynamicModule {
    const edges = [PLATFORM_EDGES, ...FEATURES.map((feature) => feature.edges ?? {})];
    const own = new Set(edges.flatMap((byRole) => config.roles.flatMap((role) => byRole[role] ?? [])));
    return {
      module: AppModule,
      imports: [
        ConfigModule.with(config),
        ...PLATFORM_MODULES,
        ...FEATURES.map(({ module }) => module),
        ...config.roles.flatMap((role) => ROLE_MODULES[role]),
        ...extra,
      ],
      controllers: [...own].filter(isController),
      providers: [
        ...[...own].filter((type) => !isController(type)),
        AccessGuard,
        AuditInterceptor,
        IdempotencyInterceptor,
      ],
    };
  }
}

/** Nest marks controllers of HTTP and of messages alike. */
function isController(type: Type): boolean {
  return Reflect.hasMetadata(CONTROLLER_WATERMARK, type);
}
