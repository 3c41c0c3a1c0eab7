import { compare, type Candidate, type Figures } from '../support/comparison.js';
import { type BenchAccounts, createAccounts, signIn } from '../support/accounts.js';
import { HttpClient } from '../support/http-client.js';
import { closedLoop, openLoopDuring } from '../support/load.js';
import { type Server, startMortise, startProgram } from '../support/servers.js';
import { type Services } from '../support/services.js';
import { percentile } from '../support/statistics.js';

const ROUNDS = 7;
const OPERATIONS = 300;
/** Enough that a hash is always waiting, and below the 16 of one address, beyond which the others are answered 503. */
const IN_FLIGHT = 8;
const GLANCE_EVERY_MS = 20;

/** Login against the hash alone, and the latency of other requests meanwhile. */
export async function login(services: Services): Promise<void> {
  const mortise = await startMortise(services);
  const raw = await startProgram(services, 'hash-baseline');
  // Each account signs in once: its sixth session would end its first, which is more work than a login.
  const accounts = await createAccounts(services, mortise.url, (ROUNDS + 1) * OPERATIONS + 1);
  const clients = {
    arriving: new HttpClient(mortise.url, IN_FLIGHT),
    present: new HttpClient(mortise.url, IN_FLIGHT),
  };
  await compare({
    title: `Login, ${String(IN_FLIGHT)} in flight`,
    candidates: [await signingIn(mortise, accounts, clients), hashing(raw, accounts)],
    ratios: ['per second'],
    rounds: ROUNDS,
  });
  clients.arriving.close();
  clients.present.close();
  await Promise.all([mortise.stop(), raw.stop()]);
}

async function signingIn(
  { pid }: Server,
  accounts: BenchAccounts,
  { arriving, present }: { readonly arriving: HttpClient; readonly present: HttpClient },
): Promise<Candidate> {
  let next = 0;
  const arrive = async (): Promise<string> => {
    const { accessToken } = await signIn(arriving, accounts, next++);
    return accessToken;
  };
  const headers = { authorization: `Bearer ${await arrive()}` };
  const glance = async (): Promise<void> => {
    const { status, body } = await present.send({ method: 'GET', path: '/api/v1/users/me', headers });
    if (status !== 200 || (JSON.parse(body) as { email: string }).email !== accounts.emails[0]) {
      throw new Error(`/users/me answered ${String(status)}: ${body}`);
    }
  };
  const round: Candidate['round'] = async () => {
    const logins = closedLoop(IN_FLIGHT, OPERATIONS, async () => {
      await arrive();
    });
    const { result, latencies } = await openLoopDuring(logins, GLANCE_EVERY_MS, glance);
    return {
      operations: result.operations,
      figures: {
        ...result.figures,
        'GET /users/me meanwhile, p50 ms': percentile(latencies, 50),
        'p95 ms': percentile(latencies, 95),
      },
    };
  };
  return { name: 'Mortise', pid, round };
}

function hashing({ url, pid }: Server, { password, passwordHash }: BenchAccounts): Candidate {
  const client = new HttpClient(url, 1);
  const body = { password, passwordHash, operations: OPERATIONS };
  const round: Candidate['round'] = () => client.post<{ operations: number; figures: Figures }>('/verifications', body);
  return { name: 'the hash alone', pid, round };
}
