import { addRouteConfig } from '../route-config.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** JSON is not read: the handler gets its bytes. */
    takesRawJson?: boolean;
  }
}

/** This route takes JSON of up to so many bytes as it came, because its sender has signed the bytes: the handler reads it then. */
export const RawJson = (bytes: number): MethodDecorator =>
  addRouteConfig({ takesRawJson: true, bodyLimitBytes: bytes });
