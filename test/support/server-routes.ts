import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** `│   ├── /:deviceId (GET, HEAD)`: its depth, its part of the path, its methods. */
const LINE = /^([│ ]*)[├└]── (\S+)(?: \((.*)\))?$/;
const INDENT = 4;

/**
 * The routes that the server really has, as `GET /api/v1/devices/{deviceId}`: read from the tree that Fastify prints,
 * which also knows what no decorator and no document says. `HEAD` comes with every `GET` and is left out.
 */
export function serverRoutes(app: NestFastifyApplication): string[] {
  const tree = app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false });
  const parts: string[] = [];
  return tree
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const [, indent, part, methods = ''] = LINE.exec(line) ?? [];
      if (indent === undefined || part === undefined) {
        throw new Error(`Fastify prints its routes in another way: ${line}`);
      }
      parts.splice(indent.length / INDENT, parts.length, part);
      const path = parts.join('').replace(/:(\w+)/g, '{$1}');
      return methods
        .split(', ')
        .filter((method) => method !== '' && method !== 'HEAD')
        .map((method) => `${method} ${path}`);
    });
}
