import { compare, type Candidate } from '../support/comparison.js';
import { createOwnerWithDevices } from '../support/owner-with-devices.js';
import { throughput } from '../support/load.js';
import { startProgram } from '../support/servers.js';
import { type Services } from '../support/services.js';

const ROUNDS = 5;
const OPTIONS = { connections: 50, seconds: 5, expectBody: '{"ok":true}' };

/** What authentication costs: a protected route that does nothing, against an open one in the same process. */
export async function session(services: Services): Promise<void> {
  const { url, pid, stop } = await startProgram(services, 'session-probe', {}, '/api/health/ready');
  const { accessToken } = await createOwnerWithDevices(url, 0);
  const options = { ...OPTIONS, headers: { authorization: `Bearer ${accessToken}` } };
  const candidate = (name: string, path: string): Candidate => ({
    name,
    pid,
    round: () => throughput(`${url}/api/v1/probe/${path}`, options),
  });
  await compare({
    title: 'Session check on a route that does nothing, 50 connections',
    candidates: [candidate('protected', 'protected'), candidate('open', 'open')],
    ratios: ['per second'],
    rounds: ROUNDS,
  });
  await stop();
}
