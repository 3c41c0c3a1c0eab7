import { type INestApplication, RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, ModulesContainer, Reflector } from '@nestjs/core';
import { ACCESS_RULE, type AccessRule } from '../../src/platform/auth/authorize.decorator.js';

/** A route as its decorators declare it. */
export interface RouteRule {
  /** `GET /api/v1/devices/{deviceId}`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly takesBody: boolean;
  /** `public`, `signed in`, or the demand. */
  readonly rule: string;
}

const UNVERSIONED = /^(\.well-known\/|api\/health|problems|metrics$)/;

/** Every route of the application, from the decorators that also guard it. */
export function routeRules(app: INestApplication): RouteRule[] {
  const controllers = [...app.get(ModulesContainer).values()].flatMap((module) => [...module.controllers.values()]);
  const types = new Set(controllers.map(({ metatype }) => metatype).filter((type) => typeof type === 'function'));
  return [...types].flatMap((type) => rulesOf(app.get(Reflector), type as new () => object));
}

function rulesOf(reflector: Reflector, type: new () => object): RouteRule[] {
  const prototype = type.prototype as Record<string, (...args: unknown[]) => unknown>;
  return new MetadataScanner().getAllMethodNames(prototype).flatMap((name) => {
    const handler = prototype[name];
    if (!handler || !Reflect.hasMetadata(METHOD_METADATA, handler)) {
      return [];
    }
    const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod];
    const path = pathOf(type, handler);
    const parameters = Object.keys((Reflect.getMetadata('__routeArguments__', type, name) ?? {}) as object);
    return {
      name: `${method} ${path}`,
      method,
      path,
      // What `@Body()` leaves behind.
      takesBody: parameters.some((key) => key.startsWith('3:')),
      rule: describeRule(reflector.getAllAndOverride<AccessRule | undefined>(ACCESS_RULE, [handler, type])),
    };
  });
}

function pathOf(type: object, handler: object): string {
  const parts = [type, handler].map((each) => Reflect.getMetadata(PATH_METADATA, each) as string);
  const path = parts
    .flatMap((part) => part.split('/'))
    .filter((part) => part !== '')
    .join('/');
  return `${UNVERSIONED.test(path) ? '/' : '/api/v1/'}${path}`.replace(/:(\w+)/g, '{$1}');
}

function describeRule(rule: AccessRule | undefined): string {
  if (!rule) {
    return 'unguarded';
  }
  return rule.public ? 'public' : (rule.demand ?? 'signed in');
}
