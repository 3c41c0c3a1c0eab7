import { type INestApplication, RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, ModulesContainer, Reflector } from '@nestjs/core';
import { ACCESS_RULE, type AccessRule } from '../platform/auth/authorize.decorator.js';
import { RATE_LIMITS } from '../platform/rate-limit/rate-limit.decorator.js';

/** What can be known before the first request is known at boot. */
export class BootError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`Refusing to start:\n${problems.map((line) => `  - ${line}`).join('\n')}`);
    this.name = 'BootError';
  }
}

type Handler = (...args: unknown[]) => unknown;

/**
 * Every route says who may call it and, if those are administrators, how often.
 * @throws BootError that names every route that does not.
 */
export function assertRoutesAreDeclared(app: INestApplication): void {
  const reflector = app.get(Reflector);
  const controllers = [...app.get(ModulesContainer).values()].flatMap((module) => [...module.controllers.values()]);
  const problems = controllers.flatMap(({ metatype }) =>
    typeof metatype === 'function' ? faultsOfController(reflector, metatype) : [],
  );
  if (problems.length > 0) {
    throw new BootError(problems);
  }
}

function faultsOfController(reflector: Reflector, type: { prototype: unknown; name: string }): string[] {
  const prototype = type.prototype as Record<string, Handler>;
  return new MetadataScanner().getAllMethodNames(prototype).flatMap((name) => {
    const handler = prototype[name];
    if (!handler || !Reflect.hasMetadata(PATH_METADATA, handler) || !Reflect.hasMetadata(METHOD_METADATA, handler)) {
      return [];
    }
    const declared = <T>(key: symbol): T | undefined => reflector.getAllAndOverride<T>(key, [handler, type as never]);
    const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod];
    return faultsOfRoute(declared).map((fault) => `${method} ${type.name}.${name} ${fault}`);
  });
}

function faultsOfRoute(declared: <T>(key: symbol) => T | undefined): string[] {
  const rule = declared<AccessRule>(ACCESS_RULE);
  if (!rule) {
    return ['has neither @Authorize nor @Public.'];
  }
  const isForAdmins = !rule.public && rule.demand === 'admin';
  return isForAdmins && !declared(RATE_LIMITS) ? ["demands 'admin' without a @RateLimit."] : [];
}
