import { deepStrictEqual } from 'node:assert';
import { type BenchAccounts, createAccounts, signIn } from '../support/accounts.js';
import { compare } from '../support/comparison.js';
import { HttpClient } from '../support/http-client.js';
import { repeatedGet } from '../support/load.js';
import { startMortise, startProgram } from '../support/servers.js';
import { type Services } from '../support/services.js';
import { sql } from '../support/sql.js';

const ROUNDS = 5;
const SECONDS = 5;
const CONNECTIONS = 50;
const USERS = 10_000;
const PAGE = 20;
const LARGEST_PAGE = 200;

/**
 * A page in the middle of all accounts for an administrator, against Fastify and pg with one keyset query and the same
 * JSON.
 */
export async function users(services: Services): Promise<void> {
  const mortise = await startMortise(services);
  const plain = await startProgram(services, 'users-baseline');
  const audited = await startProgram(services, 'users-baseline', { AUDITED: '1' });
  const accounts = await createAccounts(services, mortise.url, USERS);
  const authorization = `Bearer ${await adminToken(services, mortise.url, accounts)}`;
  const path = `/api/v1/users?limit=${String(PAGE)}&cursor=${await cursorAt(USERS / 2, mortise.url, authorization)}`;
  const options = { path, connections: CONNECTIONS, seconds: SECONDS };
  const candidates = [
    await repeatedGet('Mortise', mortise, { ...options, headers: { authorization } }),
    await repeatedGet('bare, with an audit row', audited, options),
    await repeatedGet('bare Fastify + pg', plain, options),
  ];
  const [ours, ...baselines] = candidates.map(({ body }) => JSON.parse(body) as { items: unknown[] });
  deepStrictEqual(ours?.items.length, PAGE);
  baselines.forEach((baseline) => {
    deepStrictEqual(ours, baseline);
  });
  await compare({
    title: `List of ${String(PAGE)} users in the middle of ${String(USERS)}, ${String(CONNECTIONS)} connections`,
    candidates,
    ratios: ['per second'],
    rounds: ROUNDS,
  });
  await Promise.all([mortise, plain, audited].map((server) => server.stop()));
}

/** The cursor of the page after so many accounts: a first page would not show the cost of finding its start. */
async function cursorAt(place: number, url: string, authorization: string): Promise<string> {
  let cursor = '';
  for (let passed = 0; passed < place; passed += LARGEST_PAGE) {
    const path = `/api/v1/users?limit=${String(LARGEST_PAGE)}${cursor && `&cursor=${cursor}`}`;
    const answer = await fetch(url + path, { headers: { authorization } });
    cursor = ((await answer.json()) as { nextCursor: string }).nextCursor;
  }
  return cursor;
}

/** The role is in the token: first the role, then the login. */
async function adminToken(services: Services, url: string, accounts: BenchAccounts): Promise<string> {
  await sql(services, `UPDATE users SET role = 'ADMIN' WHERE email = $1`, [accounts.emails[0]]);
  const client = new HttpClient(url, 1);
  const { accessToken } = await signIn(client, accounts, 0);
  client.close();
  return accessToken;
}
