import { applyDecorators } from '@nestjs/common';
import { ApiProduces, ApiResponse } from '@nestjs/swagger';
import { addRouteConfig } from '../route-config.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    isEventStream?: boolean;
  }
}

/**
 * This route answers with an event stream (`EventStream`), which lasts: how long it took is no latency.
 * @param example some frames, as they are sent
 */
export const Streams = (description: string, example: string): MethodDecorator =>
  applyDecorators(
    addRouteConfig({ isEventStream: true }),
    ApiProduces('text/event-stream'),
    ApiResponse({
      status: 200,
      description,
      content: { 'text/event-stream': { schema: { type: 'string' }, example } },
    }),
  );
