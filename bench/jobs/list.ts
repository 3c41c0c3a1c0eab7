import { deepStrictEqual } from 'node:assert';
import { compare, type Contestant } from '../support/comparison.js';
import { moveIn } from '../support/household.js';
import { throughput } from '../support/load.js';
import { type Server, startMortise, startProgram } from '../support/servers.js';
import { type Services } from '../support/services.js';

const ROUNDS = 5;
const SECONDS = 5;
const CONNECTIONS = 50;
const DEVICES = 20;

/** 20 devices of a person, authenticated, against Fastify and pg with the same query and the same JSON. */
export async function list(services: Services): Promise<void> {
  const mortise = await startMortise(services);
  const bare = await startProgram(services, 'list-baseline');
  const { ownerId, accessToken } = await moveIn(mortise.url, DEVICES);
  // A second household, so that there is something to leave out.
  await moveIn(mortise.url, DEVICES);
  const headers = { authorization: `Bearer ${accessToken}` };
  const ours = await contestant('Mortise', mortise, `/api/v1/devices?limit=${String(DEVICES)}`, headers);
  const baseline = await contestant('bare Fastify + pg', bare, `/owners/${ownerId}/devices`, {});
  deepStrictEqual(JSON.parse(ours.body), JSON.parse(baseline.body));
  await compare({
    title: `List of ${String(DEVICES)} devices, ${String(CONNECTIONS)} connections`,
    contestants: [ours, baseline],
    ratios: ['per second'],
    rounds: ROUNDS,
  });
  await Promise.all([mortise.stop(), bare.stop()]);
}

async function contestant(
  name: string,
  { url, pid }: Server,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<Contestant & { readonly body: string }> {
  const body = await fetch(url + path, { headers }).then((response) => response.text());
  const options = { connections: CONNECTIONS, seconds: SECONDS, expectBody: body, headers };
  return { name, pid, body, round: () => throughput(url + path, options) };
}
