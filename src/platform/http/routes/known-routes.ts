import type { FastifyInstance, HTTPMethods } from 'fastify';
import findMyWay from 'find-my-way';

const PREFIX = '/api/v1';
/** Characters of a part of a path; a longer one is 414. */
export const MAX_PARAM_LENGTH = 200;

declare module 'fastify' {
  interface FastifyInstance {
    knownRoutes: KnownRoutes;
  }
}

/** What this server has at a path, whatever method a request came with. */
export interface KnownRoutes {
  /** In the order of the alphabet; empty where there is no route at all. */
  readonly methodsAt: (path: string) => string[];
  /** The path of a route that a client may have meant. */
  readonly likely: (path: string) => string | undefined;
}

/** Notes every route: call it before any is registered. What is there by another method is 405 with `Allow`, not 404. */
export function noteRoutes(fastify: FastifyInstance): void {
  const methods = new Set<HTTPMethods>();
  const formerly = new Map<string, string>();
  const router = findMyWay({ caseSensitive: true, ignoreTrailingSlash: false, maxParamLength: MAX_PARAM_LENGTH });
  fastify.addHook('onRoute', ({ method, url, config }) => {
    for (const former of config?.formerPaths ?? []) {
      formerly.set(PREFIX + former, url.replaceAll(/:(\w+)/g, '{$1}'));
    }
    // What is behind a wildcard is files, and the preflights of every path.
    for (const each of url.includes('*') ? [] : [method].flat()) {
      if (!router.hasRoute(each as findMyWay.HTTPMethod, url)) {
        router.on(each as findMyWay.HTTPMethod, url, () => undefined);
        methods.add(each);
      }
    }
  });
  const methodsAt = (path: string): string[] => {
    const found = [...methods].filter((method) => isRoute(router.find(method as findMyWay.HTTPMethod, path)));
    return found.length > 0 ? [...found, 'OPTIONS'].sort() : [];
  };
  fastify.decorate('knownRoutes', {
    methodsAt,
    likely: (path) => {
      const spellings = spellingsOf(path);
      const now = spellings.find((spelling) => formerly.has(spelling));
      return now === undefined ? spellings.find((spelling) => methodsAt(spelling).length > 0) : formerly.get(now);
    },
  });
}

/** Answers `OPTIONS` with the methods of a path. Preflights of foreign pages are answered before, where there are any. */
export function answerOptions(fastify: FastifyInstance): void {
  fastify.addHook('preHandler', (request, reply, done) => {
    const methods = request.method === 'OPTIONS' && request.is404 ? fastify.knownRoutes.methodsAt(pathOf(request)) : [];
    if (methods.length > 0) {
      void reply.status(204).header('Allow', methods.join(', ')).send();
    } else {
      done();
    }
  });
}

/** A parameter is something: `/devices/` names no device. */
function isRoute(match: ReturnType<ReturnType<typeof findMyWay>['find']>): boolean {
  return match !== null && !Object.values(match.params).includes('');
}

export function pathOf({ url }: { readonly url: string }): string {
  return url.split('?', 1)[0] ?? '';
}

/** Without the slash at its end or twice within it, with the version of the API, in the plural, in small letters. */
function spellingsOf(path: string): string[] {
  const tidy = path.replaceAll(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
  const versioned = [PREFIX + tidy, tidy.replace(/^(?:\/api|\/v1)+(?=\/)/, PREFIX)];
  const plural = versioned.map((each) => each.replace(/^\/api\/v1\/\w+(?=\/|$)/, '$&s'));
  return [tidy, ...versioned, ...plural].flatMap((each) => [each, each.toLowerCase()]);
}
