import { compare, type Candidate } from '../support/comparison.js';
import { throughput } from '../support/load.js';
import { createOwnerWithDevices } from '../support/owner-with-devices.js';
import { startProgram } from '../support/servers.js';
import { type Services } from '../support/services.js';
import { printOutcomes, warmUp } from './list.js';

const ROUNDS = 5;
const DEVICES = 20;
const OPTIONS = { connections: 50, seconds: 5 };

/** A list that the client has, from a warm cache (304), against a protected route of the same process that does nothing. */
export async function conditional(services: Services): Promise<void> {
  const server = await startProgram(services, 'session-probe', {}, '/api/health/ready');
  const { url, pid, stop } = server;
  const { accessToken } = await createOwnerWithDevices(url, DEVICES);
  const headers = { authorization: `Bearer ${accessToken}` };
  const etag = await warmUp(server, headers);
  const candidates: Candidate[] = [
    {
      name: '304',
      pid,
      round: () =>
        throughput(`${url}/api/v1/devices?limit=${String(DEVICES)}`, {
          ...OPTIONS,
          headers: { ...headers, 'if-none-match': etag },
          expectStatus: 304,
        }),
    },
    {
      name: 'protected no-op',
      pid,
      round: () => throughput(`${url}/api/v1/probe/protected`, { ...OPTIONS, headers, expectBody: '{"ok":true}' }),
    },
  ];
  await compare({
    title: 'Conditional read of a list from a warm cache, 50 connections',
    candidates,
    ratios: ['per second'],
    rounds: ROUNDS,
  });
  await printOutcomes(server);
  await stop();
}
