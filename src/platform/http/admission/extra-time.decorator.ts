import type { FastifyRequest } from 'fastify';
import { waitOf } from '../prefer.decorator.js';
import { addRouteConfig } from '../route-config.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    extraTime?: (request: FastifyRequest) => number;
  }
}

/** This route may take `ms` longer than others until it is answered: exports, imports. */
export const ExtraTime = (ms: number): MethodDecorator => addRouteConfig({ extraTime: () => ms });

/** This route may take longer by what its client asks to wait: `Prefer: wait`. */
export const ExtraTimeToWait = (): MethodDecorator =>
  addRouteConfig({
    extraTime: ({ headers: { prefer } }) => waitOf(Array.isArray(prefer) ? prefer.join(',') : prefer) ?? 0,
  });

/** How much longer than others this request may take, in milliseconds. */
export function extraTimeOf(request: FastifyRequest): number {
  const config = request.routeOptions.config as typeof request.routeOptions.config | undefined;
  return config?.extraTime?.(request) ?? 0;
}
