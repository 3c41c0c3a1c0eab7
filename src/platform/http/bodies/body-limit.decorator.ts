import type { FastifyInstance } from 'fastify';
import { addRouteConfig } from '../route-config.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    bodyLimitBytes?: number;
  }
}

/** This route takes larger bodies than the others: imports, photos. */
export const BodyLimit = (bytes: number): MethodDecorator => addRouteConfig({ bodyLimitBytes: bytes });

/** Makes the decorator work. Call it before any route is registered. */
export function allowBodyLimits(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    const bytes = route.config?.bodyLimitBytes;
    if (bytes !== undefined) {
      route.bodyLimit = bytes;
    }
  });
}
