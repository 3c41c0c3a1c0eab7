import { type INestApplication, RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, ModulesContainer, Reflector } from '@nestjs/core';
import { AUDITED } from '../platform/audit/audit.decorator.js';
import { ACCESS_RULE, type AccessRule } from '../platform/auth/authorize.decorator.js';
import { RATE_LIMITS } from '../platform/rate-limit/rate-limit.decorator.js';

/** What can be known before the first request is known at boot. */
export class BootError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`Refusing to start:\n${problems.map((line) => `  - ${line}`).join('\n')}`);
    this.name = 'BootError';
  }
}

/** Methods that change nothing. */
const SAFE = [RequestMethod.GET, RequestMethod.HEAD, RequestMethod.OPTIONS];

type Handler = (...args: unknown[]) => unknown;

/**
 * Every route says who may call it; one that may change something, what that is recorded as; one for administrators,
 * how often.
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
    const declared = (key: symbol): unknown => reflector.getAllAndOverride(key, [handler, type as never]);
    const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod;
    return faultsOfRoute(method, declared).map((fault) => `${RequestMethod[method]} ${type.name}.${name} ${fault}`);
  });
}

function faultsOfRoute(method: RequestMethod, declared: (key: symbol) => unknown): string[] {
  const rule = declared(ACCESS_RULE) as AccessRule | undefined;
  const isForAdmins = rule?.public === false && rule.demand === 'admin';
  return [
    ...(rule ? [] : ['has neither @Authorize nor @Public.']),
    ...(SAFE.includes(method) || declared(AUDITED) ? [] : ['may change something without an @Audit.']),
    ...(isForAdmins && !declared(RATE_LIMITS) ? ["demands 'admin' without a @RateLimit."] : []),
  ];
}
