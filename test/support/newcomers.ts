import { randomBytes, randomUUID } from 'node:crypto';
import type { INestApplication } from '@nestjs/common';
import { AccessTokenFactory } from '../../src/platform/auth/access-token-factory.js';
import type { PlatformRole } from '../../src/platform/auth/principal.js';
import type { Sql } from './sql.js';

/** Somebody with a session, who never had to choose a password. */
export interface InsertedAccount {
  readonly id: string;
  readonly email: string;
  readonly sessionId: string;
  readonly accessToken: string;
}

/** For tests that need many people: an account and a session straight from the database, so that nothing is hashed. */
export async function insertAccount(
  app: INestApplication,
  sql: Sql,
  { name = 'person', role = 'USER' }: { readonly name?: string; readonly role?: PlatformRole } = {},
): Promise<InsertedAccount> {
  const person = { id: randomUUID(), email: `${name}-${randomUUID()}@example.com`, sessionId: randomUUID() };
  await sql.rows('INSERT INTO users (id, email, display_name, role, updated_at) VALUES ($1, $2, $3, $4, now())', [
    person.id,
    person.email,
    name,
    role,
  ]);
  await sql.rows(
    `INSERT INTO sessions (id, user_id, refresh_hash, expires_at) VALUES ($1, $2, $3, now() + interval '1 hour')`,
    [person.sessionId, person.id, randomBytes(32)],
  );
  const { token } = await app.get(AccessTokenFactory).sign({ userId: person.id, sessionId: person.sessionId, role });
  return { ...person, accessToken: token };
}
