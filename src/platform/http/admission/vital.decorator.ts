import type { FastifyRequest } from 'fastify';
import type { RequestPriority } from '../../context/request-context.js';
import { addRouteConfig } from '../route-config.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    isVital?: boolean;
  }
}

const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * This route gives way to nothing while there is too much to do: what opens a door or keeps it shut, what that takes (a session
 * that goes on, the keys that devices verify orders with), and what takes access away.
 */
export const Vital = (): MethodDecorator => addRouteConfig({ isVital: true });

/** What a request gives way to: by its method, unless its route is vital. */
export function priorityOf(request: FastifyRequest): RequestPriority {
  // A route that does not exist has no configuration.
  const config = request.routeOptions.config as typeof request.routeOptions.config | undefined;
  if (config?.isVital) {
    return 'vital';
  }
  return READING.has(request.method) ? 'read' : 'write';
}
