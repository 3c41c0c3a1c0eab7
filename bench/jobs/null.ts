import { compare, type Candidate } from '../support/comparison.js';
import { HttpClient } from '../support/http-client.js';
import { closedLoop, throughput } from '../support/load.js';
import { type Server, startProgram } from '../support/servers.js';
import { type Services } from '../support/services.js';

const ROUNDS = 5;
/** As large as the list of 20 devices. */
const BODY = JSON.stringify({ items: Array.from({ length: 20 }, (_, n) => ({ n, filler: 'x'.repeat(450) })) });

/** The generators alone, against a server that does nothing: no figure of another job can be better than these. */
export async function nullRequest(services: Services): Promise<void> {
  const server = await startProgram(services, 'null-server', { BODY });
  await compare({
    title: 'The generators against a server that does nothing',
    candidates: [loop(server, 1, 5_000), loop(server, 50, 20_000), cannon(server)],
    ratios: [],
    rounds: ROUNDS,
  });
  await server.stop();
}

function loop({ url, pid }: Server, inFlight: number, operations: number): Candidate {
  const client = new HttpClient(url, inFlight);
  const once = async (): Promise<void> => {
    const { status } = await client.send({ method: 'POST', path: '/', body: '{}' });
    if (status !== 200) {
      throw new Error(`The null server answered ${String(status)}.`);
    }
  };
  return {
    name: `closed loop, ${String(inFlight)} in flight`,
    pid,
    round: () => closedLoop(inFlight, operations, once),
  };
}

function cannon({ url, pid }: Server): Candidate {
  return {
    name: 'autocannon, 50 connections',
    pid,
    round: () => throughput(url, { connections: 50, seconds: 3, expectBody: BODY }),
  };
}
