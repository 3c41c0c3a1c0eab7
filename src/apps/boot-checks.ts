import { type INestApplication, RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, ModulesContainer, Reflector } from '@nestjs/core';
import type { AuditAction } from '../contracts/audit.js';
import type { RateCategory } from '../contracts/rate-limits.js';
import { AuditRegistry } from '../platform/audit/audit-registry.js';
import { AUDITED, CHANGES_NOTHING } from '../platform/audit/audit.decorator.js';
import { ACCESS_RULE, type AccessRule } from '../platform/auth/authorize.decorator.js';
import { HASHES_PASSWORD } from '../platform/crypto/hashes-password.decorator.js';
import { EventTypeRegistry } from '../platform/events/event-type-registry.js';
import { RateLimitRegistry } from '../platform/rate-limit/rate-limit-registry.js';
import { RATE_LIMITS } from '../platform/rate-limit/rate-limit.decorator.js';
import { ROLE_DEMANDS } from '../contracts/resources.js';
import { OperatorError } from '../shared/operator-error.js';

/** The application is put together wrongly, which is found before the first request. */
export class BootError extends OperatorError {
  constructor(readonly problems: readonly string[]) {
    super(['Refusing to start:', ...problems].join(problems.length === 1 ? ' ' : '\n  - '));
    this.name = 'BootError';
  }
}

/** Methods that change nothing. */
const SAFE = [RequestMethod.GET, RequestMethod.HEAD, RequestMethod.OPTIONS];

type Handler = (...args: unknown[]) => unknown;
/** @param declared reads what a decorator declared on the route, or on its controller. */
type RouteCheck = (method: RequestMethod, declared: (key: symbol) => unknown) => string[];

/**
 * Every route declares who may call it; a changing one its audit action; one for administrators, or one that hashes a
 * password, its rate limit.
 * @throws BootError that names every route that does not.
 */
export function assertRoutesAreDeclared(app: INestApplication): void {
  refuse(faultsOfRoutes(app, faultsOfRoute));
}

/**
 * Each name that a route uses is registered by its owner, each event type has one, and each variable that sets a rate
 * limit names one. Types check the names, but not that their owner is part of the application.
 * @throws BootError that names everything at fault.
 */
export function assertNamesAreRegistered(app: INestApplication): void {
  const rateLimits = app.get(RateLimitRegistry);
  const audit = app.get(AuditRegistry);
  refuse([
    ...app
      .get(EventTypeRegistry)
      .unowned()
      .map((type) => `No feature registers the event type "${type}".`),
    ...faultsOfRoutes(app, (_method, declared) => {
      const action = declared(AUDITED) as AuditAction | undefined;
      return action === undefined || audit.hasAction(action) ? [] : [`audits "${action}", which no feature registers.`];
    }),
    ...faultsOfRoutes(app, (_method, declared) =>
      ((declared(RATE_LIMITS) ?? []) as RateCategory[])
        .filter((name) => !rateLimits.has(name))
        .map((name) => `names the rate limit "${name}", which no feature registers.`),
    ),
    ...rateLimits.unknownVariables().map((variable) => `${variable} sets a rate limit that does not exist.`),
  ]);
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) {
    throw new BootError(problems);
  }
}

function faultsOfRoutes(app: INestApplication, faultsOf: RouteCheck): string[] {
  const reflector = app.get(Reflector);
  const controllers = [...app.get(ModulesContainer).values()].flatMap((module) => [...module.controllers.values()]);
  return controllers.flatMap(({ metatype }) =>
    typeof metatype === 'function' ? faultsOfController(reflector, metatype, faultsOf) : [],
  );
}

function faultsOfController(
  reflector: Reflector,
  type: { prototype: unknown; name: string },
  faultsOf: RouteCheck,
): string[] {
  const prototype = type.prototype as Record<string, Handler>;
  return new MetadataScanner().getAllMethodNames(prototype).flatMap((name) => {
    const handler = prototype[name];
    if (!handler || !Reflect.hasMetadata(PATH_METADATA, handler) || !Reflect.hasMetadata(METHOD_METADATA, handler)) {
      return [];
    }
    const declared = (key: symbol): unknown => reflector.getAllAndOverride(key, [handler, type as never]);
    const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod;
    return faultsOf(method, declared).map((fault) => `${RequestMethod[method]} ${type.name}.${name} ${fault}`);
  });
}

function faultsOfRoute(method: RequestMethod, declared: (key: symbol) => unknown): string[] {
  const rule = declared(ACCESS_RULE) as AccessRule | undefined;
  const role = roleDemandedBy(rule);
  const isAccounted = [AUDITED, CHANGES_NOTHING].some(declared) || SAFE.includes(method) || isOfDevices(rule);
  return [
    ...(rule ? [] : ['has neither @Authorize nor @Public.']),
    ...(isAccounted ? [] : ['may change something without an @Audit, or a @ChangesNothing.']),
    ...(declared(HASHES_PASSWORD) && !declared(RATE_LIMITS) ? ['hashes a password without a @RateLimit.'] : []),
    ...(role !== null && !declared(RATE_LIMITS) ? [`demands '${role}' without a @RateLimit.`] : []),
  ];
}

/** What devices say is history. */
function isOfDevices(rule: AccessRule | undefined): boolean {
  return rule?.public === false && rule.demand === 'uplink';
}

function roleDemandedBy(rule: AccessRule | undefined): string | null {
  return rule?.public === false && ROLE_DEMANDS.some((role) => role === rule.demand) ? rule.demand : null;
}
