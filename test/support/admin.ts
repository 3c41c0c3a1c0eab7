import { Database } from '../../src/platform/prisma/database.js';
import type { RunningApplication } from './application.js';
import { type Person, signIn, signUp } from './rest.js';

/** A new administrator, signed in: made as `npm run admin:create` does, past the API. */
export async function signUpAdmin({ app, url }: RunningApplication, name = 'admin'): Promise<Person> {
  const person = await signUp(url, name);
  await app.get(Database, { strict: false }).pool.query(`UPDATE users SET role = 'ADMIN' WHERE id = $1`, [person.id]);
  return { ...person, ...(await signIn(url, person.email)) };
}
