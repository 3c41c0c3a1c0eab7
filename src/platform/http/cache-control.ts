import type { FastifyInstance } from 'fastify';

/** Files of a released library: they change with the application. */
const ASSETS = /^\/api\/docs\/(?!swagger-ui-init\.js|asyncapi\.json)./;
const DOCUMENTS = '/api/docs';

/** Says of answers without a word about caches how long they may be kept. */
export function registerCacheControl(fastify: FastifyInstance): void {
  fastify.addHook('onSend', (request, reply, payload, done) => {
    const { url = '' } = request.routeOptions;
    if (reply.statusCode < 400 && request.url.startsWith(DOCUMENTS)) {
      // Those who serve files say that none may be kept.
      void reply.header('Cache-Control', `public, max-age=${ASSETS.test(request.url) ? '86400' : '300'}`);
    } else if (url.startsWith('/api/v1/') && !reply.hasHeader('Cache-Control')) {
      // Answers of the API are personal data: they stay out of caches, except where an ETag lets its owner ask again.
      void reply.header('Cache-Control', reply.hasHeader('ETag') ? 'private, no-cache' : 'no-store');
    }
    done(null, payload);
  });
}
