import { deepStrictEqual } from 'node:assert';
import { Failure } from '../../tools/stack/failure.js';
import { print } from '../../tools/stack/steps.js';
import { type Candidate, compare } from '../support/comparison.js';
import { createOwnerWithDevices } from '../support/owner-with-devices.js';
import { repeatedGet, throughput } from '../support/load.js';
import { type Server, startMortise, startProgram } from '../support/servers.js';
import { type Services } from '../support/services.js';

const ROUNDS = 5;
const SECONDS = 5;
const CONNECTIONS = 50;
const DEVICES = 20;
const PATH = `/api/v1/devices?limit=${String(DEVICES)}`;
/** Nothing is stored for a minute after Redis was new. */
const WARM_WITHIN_MS = 90_000;
/** As old as an answer with readings may be at most. */
const READINGS_S = 30;

/**
 * 20 devices of a person, authenticated, against Fastify and pg with the same query and the same JSON: from the warm cache; cold,
 * where each connection is another person whose list is read, and stored, every time; and from the database without a cache.
 */
export async function list(services: Services): Promise<void> {
  const mortise = await startMortise(services);
  const bare = await startProgram(services, 'list-baseline');
  const { ownerId, accessToken } = await createOwnerWithDevices(mortise.url, DEVICES);
  const headers = { authorization: `Bearer ${accessToken}` };
  const options = { connections: CONNECTIONS, seconds: SECONDS };
  await warmUp(mortise, headers);
  const warm = await repeatedGet('Mortise, warm', mortise, { ...options, path: PATH, headers });
  const cold = await coldLists(mortise);
  const uncached = await repeatedGet('Mortise, not cached', mortise, {
    ...options,
    path: PATH,
    headers: { ...headers, 'cache-control': 'no-store' },
  });
  const baseline = await repeatedGet('bare Fastify + pg', bare, { ...options, path: `/owners/${ownerId}/devices` });
  deepStrictEqual(JSON.parse(warm.body), JSON.parse(baseline.body));
  for (const ours of [warm, cold, uncached]) {
    await compare({
      title: `List of ${String(DEVICES)} devices, ${String(CONNECTIONS)} connections: ${ours.name}`,
      candidates: [ours, baseline],
      ratios: ['per second'],
      rounds: ROUNDS,
    });
  }
  await printOutcomes(mortise);
  await Promise.all([mortise.stop(), bare.stop()]);
}

/** Reads until the answer comes from the cache. */
export async function warmUp({ url }: Server, headers: Readonly<Record<string, string>>): Promise<string> {
  const until = performance.now() + WARM_WITHIN_MS;
  while (performance.now() < until) {
    const answer = await fetch(url + PATH, { headers });
    if (answer.headers.has('age') && Number(answer.headers.get('age')) < READINGS_S) {
      return answer.headers.get('etag') ?? '';
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Failure('The list is not cached.');
}

async function coldLists(mortise: Server): Promise<Candidate> {
  const headersOf: Record<string, string>[] = [];
  for (let index = 0; index < CONNECTIONS; index++) {
    const { accessToken } = await createOwnerWithDevices(mortise.url, DEVICES);
    headersOf.push({ authorization: `Bearer ${accessToken}`, 'cache-control': 'max-age=0' });
  }
  return {
    name: 'Mortise, cold',
    pid: mortise.pid,
    round: () => throughput(mortise.url + PATH, { connections: CONNECTIONS, seconds: SECONDS, headersOf }),
  };
}

/** What the cache did: a run whose warm list was not warm has no number. */
export async function printOutcomes({ url }: Server): Promise<void> {
  const metrics = await fetch(`${url}/metrics`).then((answer) => answer.text());
  print(
    metrics
      .split('\n')
      .filter((line) => line.startsWith('mortise_cache_requests_total'))
      .join('\n'),
  );
}
