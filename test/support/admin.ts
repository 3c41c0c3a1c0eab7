import { Database } from '../../src/platform/prisma/database.js';
import type { RunningApplication } from './application.js';
import { type Account, signIn, createAccount } from './rest.js';

/** A new administrator, signed in: made as `npm run admin:create` does, past the API. */
export async function createAdmin({ app, url }: RunningApplication, name = 'admin'): Promise<Account> {
  const person = await createAccount(url, name);
  await app.get(Database, { strict: false }).pool.query(`UPDATE users SET role = 'ADMIN' WHERE id = $1`, [person.id]);
  return { ...person, ...(await signIn(url, person.email)) };
}
