import { type INestApplication, RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { MetadataScanner, ModulesContainer, Reflector } from '@nestjs/core';
import { ACCESS_RULE } from '../platform/auth/authorize.decorator.js';

/** What can be known before the first request is known at boot. */
export class BootError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`Refusing to start:\n${problems.map((line) => `  - ${line}`).join('\n')}`);
    this.name = 'BootError';
  }
}

/** Every route says who may call it. @throws BootError that names every route that does not. */
export function assertRoutesAreGuarded(app: INestApplication): void {
  const reflector = app.get(Reflector);
  const scanner = new MetadataScanner();
  const unguarded: string[] = [];
  for (const module of app.get(ModulesContainer).values()) {
    for (const { metatype } of module.controllers.values()) {
      if (typeof metatype !== 'function') {
        continue;
      }
      const prototype = metatype.prototype as Record<string, object>;
      for (const name of scanner.getAllMethodNames(prototype)) {
        const handler = prototype[name] as (...args: unknown[]) => unknown;
        const isRoute = Reflect.hasMetadata(PATH_METADATA, handler) && Reflect.hasMetadata(METHOD_METADATA, handler);
        if (isRoute && reflector.getAllAndOverride(ACCESS_RULE, [handler, metatype as never]) === undefined) {
          const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod];
          unguarded.push(`${method} ${metatype.name}.${name} has neither @Authorize nor @Public.`);
        }
      }
    }
  }
  if (unguarded.length > 0) {
    throw new BootError(unguarded);
  }
}
