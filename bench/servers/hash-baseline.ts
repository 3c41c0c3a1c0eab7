/** What no login can do without: the hash of its password, as many at once as Mortise lets through, and nothing else. */
import { availableParallelism } from 'node:os';
import { verify } from 'argon2';
import Fastify from 'fastify';
import { closedLoop } from '../support/load.js';

const CONCURRENT = Math.max(1, availableParallelism() - 1);

const app = Fastify();
app.post<{ Body: { password: string; passwordHash: string; operations: number } }>(
  '/api/v1/verifications',
  async ({ body: { password, passwordHash, operations } }) =>
    closedLoop(CONCURRENT, operations, async () => {
      if (!(await verify(passwordHash, password))) {
        throw new Error('The password is not the one behind the hash.');
      }
    }),
);
app.get('/ready', () => ({ status: 'ok' }));
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
