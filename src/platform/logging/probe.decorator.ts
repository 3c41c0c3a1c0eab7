import { addRouteConfig } from '../http/route-config.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    isProbe?: boolean;
  }
}

/** This route is asked by machines every few seconds: its line in the log is for debugging, and a warning when it fails. */
export const Probe = (): MethodDecorator => addRouteConfig({ isProbe: true });
