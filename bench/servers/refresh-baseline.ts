/**
 * Rotation as one would write it without a framework: random tokens of which the hash is kept, one conditional UPDATE.
 * With SIGNED=1 it also signs an access token, with a key like that of Mortise. No audit, no reuse detection, no limits.
 */
import { createHash, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import Fastify from 'fastify';
import { SignJWT } from 'jose';
import pg from 'pg';
import { utcConnection } from '../../src/platform/prisma/utc-connection.js';

const ROTATE = `UPDATE baseline_sessions SET hash = $2, expires_at = now() + interval '7 days'
  WHERE hash = $1 AND expires_at > now() RETURNING id, user_id`;

const privateKey = process.env.SIGNED === '1' ? generateKeyPairSync('rsa', { modulusLength: 3_072 }).privateKey : null;
const pool = new pg.Pool({ connectionString: utcConnection(process.env.DATABASE_URL ?? ''), max: 20 });
await pool.query(`CREATE TABLE IF NOT EXISTS baseline_sessions
  (id uuid PRIMARY KEY, user_id uuid NOT NULL, hash bytea NOT NULL UNIQUE, expires_at timestamptz NOT NULL)`);

const app = Fastify();
app.post<{ Body: { count: number } }>('/api/v1/chains', async ({ body: { count } }) => {
  const tokens = Array.from({ length: count }, newToken);
  await pool.query(
    `INSERT INTO baseline_sessions
     SELECT gen_random_uuid(), gen_random_uuid(), hash, now() + interval '7 days' FROM unnest($1::bytea[]) AS hash`,
    [tokens.map(hashOf)],
  );
  return { tokens };
});
app.post<{ Body: { refreshToken: string } }>('/api/v1/auth/refresh', async ({ body: { refreshToken } }, reply) => {
  const successor = newToken();
  const { rows } = await pool.query<{ id: string; user_id: string }>({
    name: 'rotate',
    text: ROTATE,
    values: [hashOf(refreshToken), hashOf(successor)],
  });
  const [session] = rows;
  if (!session) {
    return reply.code(401).send({});
  }
  const accessToken = privateKey ? await sign(session, privateKey) : session.id;
  return { accessToken, refreshToken: successor };
});
app.get('/ready', () => ({ status: 'ok' }));
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });

function sign(session: { id: string; user_id: string }, key: Parameters<SignJWT['sign']>[0]): Promise<string> {
  return new SignJWT({ sid: session.id })
    .setProtectedHeader({ alg: 'RS256' })
    .setSubject(session.user_id)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime('15m')
    .sign(key);
}

function newToken(): string {
  return randomBytes(32).toString('base64url');
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
