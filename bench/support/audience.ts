import { join } from 'node:path';
import { ROOT } from '../../tools/stack/paths.js';
import { HttpClient } from './http-client.js';
import type { House } from './people.js';
import { type Server, startMortise, startProgram } from './servers.js';
import { type Services } from './services.js';

/** Events that were sent to all who listen, and when the clock of this machine showed that they were. */
export interface Sent {
  readonly marks: readonly string[];
  readonly sinceMs: number;
}

/** A server with listeners, and a way to make it send events to all of them. */
export interface Stage {
  readonly name: string;
  readonly tokens: readonly string[];
  start(): Promise<Server>;
  /** @returns when they are committed: from there on, nothing holds them back but the server */
  send(server: Server, events: number): Promise<Sent>;
}

const COLLECTABLE = {
  NODE_OPTIONS: `--expose-gc --import=file://${join(ROOT, 'dist', 'bench', 'servers', 'collect-garbage.js')} ${process.env.BENCH_NODE_OPTIONS ?? ''}`,
};

async function get<T>(url: string): Promise<T> {
  const client = new HttpClient(url, 1);
  const { pathname, search } = new URL(url);
  const { status, body } = await client.send({ method: 'GET', path: pathname + search });
  client.close();
  if (status !== 200) {
    throw new Error(`${url} answered ${String(status)}: ${body}`);
  }
  return JSON.parse(body) as T;
}

/**
 * Mortise: one process that serves dashboards, and another that writes events and relays them. All who listen are members of one
 * organization, each with an account and a session.
 */
export async function mortiseStage(services: Services, size: number): Promise<Stage & { close(): Promise<void> }> {
  const env = { DATABASE_POOL_SIZE: '10', REQUEST_TIMEOUT: '60s' };
  const writer = await startProgram(services, 'feed-writer', { ...env, ROLES: 'worker' }, '/api/health/ready');
  const probe = `${writer.url}/api/v1/probe`;
  const house = await get<House>(`${probe}/house?size=${String(size)}`);
  return {
    name: 'Mortise',
    tokens: house.members.map(({ accessToken }) => accessToken),
    start: () => startMortise(services, { ...env, ...COLLECTABLE, ROLES: 'api', CONNECTIONS_PER_ADDRESS: '100000' }),
    send: (_server, events) =>
      get(`${probe}/events?deviceId=${house.deviceId}&userId=${house.ownerId}&count=${String(events)}`),
    close: () => writer.stop(),
  };
}

/** It does not authenticate, so any text will do for a token. */
export function baselineStage(services: Services, name: string, size: number, env: NodeJS.ProcessEnv = {}): Stage {
  return {
    name,
    tokens: Array.from({ length: size }, () => 'anybody'),
    start: () => startProgram(services, 'socket-baseline', { ...env, ...COLLECTABLE }),
    send: ({ url }, events) => get(`${url}/emit?count=${String(events)}`),
  };
}
