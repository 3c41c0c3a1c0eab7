import { compare, type Candidate } from '../support/comparison.js';
import { createAccounts, signIn } from '../support/accounts.js';
import { HttpClient } from '../support/http-client.js';
import { closedLoop } from '../support/load.js';
import { type Server, startMortise, startProgram } from '../support/servers.js';
import { type Services } from '../support/services.js';

const ROUNDS = 5;
const CLIENTS = 50;
/** At once: below the places at the password hasher that one address may hold. */
const SIGNING_IN = 8;
const OPERATIONS = 5_000;

/** Clients who each hold the last token of a chain of their own, and exchange it for the next one. */
class Chains {
  readonly #client: HttpClient;
  readonly #seen: Set<string>;

  constructor(
    private readonly name: string,
    private readonly server: Server,
    private readonly tokens: string[],
  ) {
    this.#client = new HttpClient(server.url, tokens.length);
    this.#seen = new Set(tokens);
  }

  candidate(): Candidate {
    const round: Candidate['round'] = () => closedLoop(CLIENTS, OPERATIONS, (worker) => this.next(worker));
    return { name: this.name, pid: this.server.pid, round };
  }

  /** One more for each: only then has the last token of every chain been good, too. */
  async close(): Promise<void> {
    await Promise.all(this.tokens.map((_token, worker) => this.next(worker)));
    this.#client.close();
    await this.server.stop();
  }

  private async next(worker: number): Promise<void> {
    const refreshToken = this.tokens[worker];
    const successor = await this.#client.post<{ accessToken?: string; refreshToken: string }>('/auth/refresh', {
      refreshToken,
    });
    if (!successor.accessToken || this.#seen.has(successor.refreshToken)) {
      throw new Error(`${this.name}: ${String(refreshToken)} was answered with ${JSON.stringify(successor)}.`);
    }
    this.#seen.add(successor.refreshToken);
    this.tokens[worker] = successor.refreshToken;
  }
}

/** Rotating refresh tokens, against Fastify and pg with one conditional UPDATE; with a signed access token, and without. */
export async function refresh(services: Services): Promise<void> {
  const mortise = await startMortise(services);
  const chains = [
    new Chains('Mortise', mortise, await signAllIn(services, mortise)),
    await bareChains(services, 'bare, with a signed token', { SIGNED: '1' }),
    await bareChains(services, 'bare Fastify + pg'),
  ];
  await compare({
    title: `Refresh, ${String(CLIENTS)} clients with a chain each`,
    candidates: chains.map((each) => each.candidate()),
    ratios: ['per second'],
    rounds: ROUNDS,
  });
  await Promise.all(chains.map((each) => each.close()));
}

async function signAllIn(services: Services, { url }: Server): Promise<string[]> {
  const accounts = await createAccounts(services, url, CLIENTS);
  const client = new HttpClient(url, SIGNING_IN);
  const sessions = await Promise.all(accounts.emails.map((_email, index) => signIn(client, accounts, index)));
  client.close();
  return sessions.map(({ refreshToken }) => refreshToken);
}

async function bareChains(services: Services, name: string, env: NodeJS.ProcessEnv = {}): Promise<Chains> {
  const server = await startProgram(services, 'refresh-baseline', env);
  const client = new HttpClient(server.url, 1);
  const { tokens } = await client.post<{ tokens: string[] }>('/chains', { count: CLIENTS });
  client.close();
  return new Chains(name, server, tokens);
}
