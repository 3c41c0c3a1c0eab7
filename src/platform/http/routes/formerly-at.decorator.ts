import { addRouteConfig } from '../route-config.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    formerPaths?: readonly string[];
  }
}

/** Where backends that this one succeeds have this route, below `/api`: their clients are told in the 404 where it is now. */
export const FormerlyAt = (...paths: readonly string[]): MethodDecorator => addRouteConfig({ formerPaths: paths });
