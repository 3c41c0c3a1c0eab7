import { applyDecorators, Header } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { addRouteConfig } from './route-config.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    answersSecret?: boolean;
  }
}

/**
 * For answers with tokens: caches must not store them (RFC 6749, section 5.1), and they are not compressed. Beside text that a
 * stranger chose, the length of a compressed answer would tell how much of the secret the text guessed (BREACH).
 */
export const SecretAnswer = (): MethodDecorator =>
  applyDecorators(Header('Cache-Control', 'no-store'), addRouteConfig({ answersSecret: true }));

/** Makes the decorator work, lets no compressor hold event streams back, and leaves files as they are. Call it before compression is registered. */
export function compressNoSecrets(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    const { answersSecret = false, isEventStream = false, sendsFile = false } = route.config ?? {};
    if (answersSecret || isEventStream || sendsFile) {
      Object.assign(route, { compress: false });
    }
  });
}
