import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** What a page may read of an answer, besides the headers that any page may. */
const EXPOSED = [
  'Age',
  'Allow',
  'Deprecation',
  'ETag',
  'Idempotent-Replayed',
  'Link',
  'Location',
  'Preference-Applied',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'WWW-Authenticate',
  'Sunset',
  'X-Request-Id',
];
const PREFLIGHT_SECONDS = 7_200;

/** Pages of the listed origins may call the API, credentials included; no other origin gets a single CORS header. */
export function allowOrigins(app: NestFastifyApplication, origins: readonly string[]): void {
  if (origins.length === 0) {
    return;
  }
  app.enableCors({
    origin: chosenFrom(origins),
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED,
    maxAge: PREFLIGHT_SECONDS,
  });
}

/** Answers a page's own origin where it is listed, for HTTP and sockets alike. `http://localhost:*` lists each port. */
export function chosenFrom(
  origins: readonly string[],
): (origin: string | undefined, answer: (error: Error | null, allow: string | false) => void) => void {
  const isListed = listedIn(origins);
  return (origin, answer) => {
    answer(null, origin !== undefined && isListed(origin) ? origin : false);
  };
}

/** Tells whether an origin is listed. `http://localhost:*` lists each port. */
export function listedIn(origins: readonly string[]): (origin: string) => boolean {
  const listed = new Set(origins);
  // No page is at `http://localhost:*` itself.
  return (origin) => !origin.endsWith('*') && (listed.has(origin) || listed.has(onAnyPort(origin)));
}

/** `http://localhost:5173` as `http://localhost:*`, and so without a port. */
function onAnyPort(origin: string): string {
  return `${origin.replace(/:\d+$/, '')}:*`;
}
