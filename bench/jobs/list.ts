import { deepStrictEqual } from 'node:assert';
import { compare } from '../support/comparison.js';
import { createOwnerWithDevices } from '../support/owner-with-devices.js';
import { repeatedGet } from '../support/load.js';
import { startMortise, startProgram } from '../support/servers.js';
import { type Services } from '../support/services.js';

const ROUNDS = 5;
const SECONDS = 5;
const CONNECTIONS = 50;
const DEVICES = 20;

/** 20 devices of a person, authenticated, against Fastify and pg with the same query and the same JSON. */
export async function list(services: Services): Promise<void> {
  const mortise = await startMortise(services);
  const bare = await startProgram(services, 'list-baseline');
  const { ownerId, accessToken } = await createOwnerWithDevices(mortise.url, DEVICES);
  // A second owner, so that there is something to leave out.
  await createOwnerWithDevices(mortise.url, DEVICES);
  const options = { connections: CONNECTIONS, seconds: SECONDS };
  const headers = { authorization: `Bearer ${accessToken}` };
  const ours = await repeatedGet('Mortise', mortise, {
    ...options,
    path: `/api/v1/devices?limit=${String(DEVICES)}`,
    headers,
  });
  const baseline = await repeatedGet('bare Fastify + pg', bare, { ...options, path: `/owners/${ownerId}/devices` });
  deepStrictEqual(JSON.parse(ours.body), JSON.parse(baseline.body));
  await compare({
    title: `List of ${String(DEVICES)} devices, ${String(CONNECTIONS)} connections`,
    candidates: [ours, baseline],
    ratios: ['per second'],
    rounds: ROUNDS,
  });
  await Promise.all([mortise.stop(), bare.stop()]);
}
