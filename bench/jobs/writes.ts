import { print } from '../../tools/stack/steps.js';
import { compare, type Candidate } from '../support/comparison.js';
import { HttpClient } from '../support/http-client.js';
import { repeatedGet } from '../support/load.js';
import { createOwnerWithDevices } from '../support/owner-with-devices.js';
import { startProgram } from '../support/servers.js';
import { type Services } from '../support/services.js';
import type { Peer } from '../support/write-counter.js';

const ROUNDS = 5;
const SECONDS = 2;
const DEVICES = 20;
const ACQUISITIONS = 300;

/** How often one request writes to a socket, which a third of its processor time is for. */
export async function writes(services: Services): Promise<void> {
  const server = await startProgram(services, 'session-probe', {}, '/api/health/ready');
  const { accessToken, devices } = await createOwnerWithDevices(server.url, DEVICES);
  const headers = { authorization: `Bearer ${accessToken}` };
  const counted = async (name: string, path: string, connections: number): Promise<Candidate> => {
    const candidate = await repeatedGet(`${name}, ${String(connections)} connections`, server, {
      path: `/api/v1${path}`,
      connections,
      seconds: SECONDS,
      headers,
    });
    return { ...candidate, round: () => withWrites(server.url, candidate.round) };
  };
  const candidates: Candidate[] = [];
  for (const connections of [1, 50]) {
    candidates.push(
      await counted(`list of ${String(DEVICES)} devices`, `/devices?limit=${String(DEVICES)}`, connections),
    );
    candidates.push(await counted('one device', `/devices/${devices[0]?.id ?? ''}`, connections));
    candidates.push(await counted('protected, does nothing', '/probe/protected', connections));
  }
  await compare({ title: 'Writes to sockets per request', candidates, ratios: [], rounds: ROUNDS });
  await printAcquisitions(server.url, headers);
  await server.stop();
}

async function withWrites(url: string, round: Candidate['round']): ReturnType<Candidate['round']> {
  const before = await writesOf(url);
  const { operations, figures } = await round();
  const after = await writesOf(url);
  const perRequest = (peer: Peer): number => (after[peer] - before[peer]) / operations;
  return {
    operations,
    figures: {
      'HTTP writes': perRequest('HTTP'),
      'Redis writes': perRequest('Redis'),
      'PostgreSQL writes': perRequest('PostgreSQL'),
      ...figures,
    },
  };
}

async function writesOf(url: string): Promise<Record<Peer, number>> {
  return (await fetch(`${url}/api/v1/probe/writes`)).json() as Promise<Record<Peer, number>>;
}

/** How long transactions wait for a connection of the pool, one after the other. */
async function printAcquisitions(url: string, headers: Readonly<Record<string, string>>): Promise<void> {
  const count = async (labels: string): Promise<number> => {
    const text = await (await fetch(`${url}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(`mortise_database_acquisition_seconds_${labels} `));
    return Number(line?.split(' ')[1] ?? NaN);
  };
  const [all, quick] = [await count('count'), await count('bucket{le="0.001"}')];
  const client = new HttpClient(url, 1);
  for (let index = 0; index < ACQUISITIONS; index += 1) {
    await client.post('/organizations', { name: `Bench ${String(index)}` }, headers).catch(() => undefined);
  }
  client.close();
  const [allOf, quickOf] = [(await count('count')) - all, (await count('bucket{le="0.001"}')) - quick];
  print(`\nConnections of the pool within 1 ms: ${String(quickOf)} of ${String(allOf)}.`);
}
