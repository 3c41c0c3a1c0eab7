import type { FastifyRequest } from 'fastify';
import { waitOf } from '../prefer.decorator.js';
import { addRouteConfig } from '../route-config.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    extraTime?: (request: FastifyRequest) => number;
    /** What takes longer is not work: between its short reads the request waits. */
    onlyWaits?: boolean;
  }
}

/** In which an answer must begin beyond the time that all have, whatever its route: the connection is silent for so long. */
export const LONGEST_EXTRA_TIME_MS = 60_000;

/**
 * This route may take `ms` longer than others until it is answered: imports. More than {@link LONGEST_EXTRA_TIME_MS} is for an
 * answer that is sent piece by piece: exports.
 */
export const ExtraTime = (ms: number): MethodDecorator => addRouteConfig({ extraTime: () => ms });

/** This route may take longer by what its client asks to wait: `Prefer: wait`. */
export const ExtraTimeToWait = (): MethodDecorator =>
  addRouteConfig({
    extraTime: ({ headers: { prefer } }) => waitOf(Array.isArray(prefer) ? prefer.join(',') : prefer) ?? 0,
    onlyWaits: true,
  });

/** How much longer than others this request may take, in milliseconds. */
export function extraTimeOf(request: FastifyRequest): number {
  const config = request.routeOptions.config as typeof request.routeOptions.config | undefined;
  return config?.extraTime?.(request) ?? 0;
}

/** Whether it works for longer than others, and does not only wait. */
export function worksLonger(request: FastifyRequest): boolean {
  const { onlyWaits = false } = (request.routeOptions.config as typeof request.routeOptions.config | undefined) ?? {};
  return !onlyWaits && extraTimeOf(request) > 0;
}
