import { randomUUID } from 'node:crypto';
import { HttpClient } from './http-client.js';
import { type Services } from './services.js';
import { sql } from './sql.js';

export interface BenchSession {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly user: { readonly id: string; readonly email: string };
}

/** Many accounts with one password, none of which has signed in. */
export interface BenchAccounts {
  readonly emails: readonly string[];
  readonly password: string;
  readonly passwordHash: string;
}

/** A second apart, so that a list in the order of time has one order only. */
const COPIES = `
  INSERT INTO users (id, email, username, display_name, password_hash, created_at, updated_at)
  SELECT gen_random_uuid(), n || '-' || u.email, 'bench-' || n || '-' || left(u.id::text, 8), 'Person ' || n,
         u.password_hash, u.created_at - n * interval '1 second', u.created_at
  FROM users AS u, generate_series(1, $2::int) AS n WHERE u.id = $1
  RETURNING email, password_hash AS "passwordHash"`;

/** One account made through the public interface, and its copies, past it: hashing each would take minutes. */
export async function createAccounts(services: Services, url: string, size: number): Promise<BenchAccounts> {
  const client = new HttpClient(url, 1);
  const password = randomUUID();
  const first = { email: `bench-${randomUUID()}@example.com`, password };
  const { id } = await client.post<{ id: string }>('/auth/register', first);
  client.close();
  const copies = await sql<{ email: string; passwordHash: string }>(services, COPIES, [id, size]);
  // What autovacuum would do within a minute: without it, PostgreSQL plans for a table that is empty.
  await sql(services, 'ANALYZE users');
  return { emails: copies.map(({ email }) => email), password, passwordHash: copies[0]?.passwordHash ?? '' };
}

/** Signs in. @throws when the answer is not a session of that person. */
export async function signIn(
  client: HttpClient,
  { emails, password }: BenchAccounts,
  index: number,
): Promise<BenchSession> {
  const identifier = emails[index];
  const signedIn = await client.post<BenchSession>('/auth/login', { identifier, password });
  if (identifier === undefined || signedIn.user.email !== identifier || !signedIn.accessToken) {
    throw new Error(`The login of ${String(identifier)} answered ${JSON.stringify(signedIn)}.`);
  }
  return signedIn;
}
