import { request } from './rest.js';

/** One operation of the OpenAPI document. */
export interface ApiRoute {
  /** `GET /api/v1/devices/{deviceId}`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  /** Names in the path, in order. */
  readonly parameters: readonly string[];
  readonly query: readonly string[];
  readonly takesBody: boolean;
  /** Whether it asks who you are. */
  readonly guarded: boolean;
}

interface Operation {
  parameters?: { name: string; in: string }[];
  requestBody?: unknown;
  security?: unknown[];
}

/** Every route that the running application documents. */
export async function documentedRoutes(base: string): Promise<ApiRoute[]> {
  const { body } = await request<{ paths: Record<string, Record<string, Operation>> }>(base, 'GET', '/api/docs-json');
  return Object.entries(body.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([verb, operation]): ApiRoute => {
      const method = verb.toUpperCase();
      const named = (place: string): string[] =>
        (operation.parameters ?? []).filter((each) => each.in === place).map(({ name }) => name);
      return {
        name: `${method} ${path}`,
        method,
        path,
        parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? ''),
        query: named('query'),
        takesBody: operation.requestBody !== undefined,
        guarded: (operation.security ?? []).length > 0,
      };
    }),
  );
}

/** The path with these values in it. */
export function fill(path: string, values: Readonly<Record<string, string>>): string {
  return path.replace(/\{(\w+)\}/g, (_whole, name: string) => values[name] ?? `{${name}}`);
}

/** A good body for every route that takes one; a new route without an entry fails the tests that walk the routes. */
export const GOOD_BODIES: Readonly<Record<string, () => Record<string, unknown>>> = {
  'POST /api/v1/auth/register': () => ({
    email: 'somebody@example.com',
    username: 'somebody',
    password: 'tangerine harbour plumage',
    displayName: 'Some Body',
  }),
  'POST /api/v1/auth/login': () => ({ identifier: 'somebody@example.com', password: 'tangerine harbour plumage' }),
  'POST /api/v1/auth/refresh': () => ({ refreshToken: 'a'.repeat(86) }),
  'POST /api/v1/devices': () => ({
    name: 'Side door',
    type: 'door_lock',
    hardwareId: 'LOCK-1',
    room: 'Hall',
    timeZone: 'Europe/Berlin',
  }),
  'PATCH /api/v1/devices/{deviceId}': () => ({ name: 'Side door', room: 'Hall', timeZone: 'Europe/Berlin' }),
  'POST /api/v1/devices/{deviceId}/commands': () => ({ name: 'lock_door', payload: {} }),
};
