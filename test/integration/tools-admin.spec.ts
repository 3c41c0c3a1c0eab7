/**
 * `npm run admin:create`, as an operator runs it: the compiled command, in a process of its own.
 * Seen to fail: with transactions of a process without a listener that asked for notices (the role in the cached answer).
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeAccounts } from '../../tools/stack/accounts.js';
import { ROOT } from '../../tools/stack/paths.js';
import { TestApp } from '../support/test-app.js';
import { createAccount, signIn } from '../support/accounts.fixture.js';
import { CacheKeys, read, warm } from '../support/cache.fixture.js';
import { request } from '../support/rest.js';
import { eventually } from '../support/wait.js';

const COMMAND = join(ROOT, 'dist', 'tools', 'admin-create.js');
const PASSWORD = 'seven brown doors stand open';

let app: TestApp;

beforeAll(async () => {
  app = await TestApp.start({ env: { ROLES: 'api' } });
});

afterAll(() => app.stop());

interface Outcome {
  readonly code: number;
  readonly said: string;
}

async function adminCreate(args: readonly string[], password = PASSWORD): Promise<Outcome> {
  const env = {
    ...process.env,
    DATABASE_URL: app.databaseUrl,
    MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
    ADMIN_PASSWORD: password,
  };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [COMMAND, ...args], { env, timeout: 25_000 });
    return { code: 0, said: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, said: stdout + stderr };
  }
}

const accountsFor = async (email: string, password = PASSWORD): Promise<number> => {
  const { accessToken } = await signIn(app.url, email, password);
  return (await request(app.url, 'GET', '/api/v1/users', { token: accessToken })).status;
};

describe('npm run admin:create', () => {
  it('makes an administrator who can sign in and manage accounts, and leaves it in the audit trail', async () => {
    // What `DEMO=0 npm start` says of accounts.
    const told = () => describeAccounts(app.databaseUrl);
    expect(await told()).toBe('none yet; `npm run admin:create` makes the first admin');
    await createAccount(app.url);
    expect(await told()).toBe('1, of which 0 may administer; `npm run admin:create` makes the first admin');
    const made = await adminCreate(['--email', 'Root@Example.com']);
    expect(made).toEqual({
      code: 0,
      said: expect.stringMatching(/Root@Example.com is an admin now \([0-9a-f-]{36}\)/),
    });
    expect(await accountsFor('root@example.com')).toBe(200);
    expect(await told()).toBe('2, of which 1 may administer');

    const { accessToken } = await signIn(app.url, 'root@example.com', PASSWORD);
    const { body } = await request<{ items: object[] }>(app.url, 'GET', '/api/v1/audit?action=user_created', {
      token: accessToken,
    });
    expect(body.items).toMatchObject([
      { actor: 'system', outcome: 'success', after: { email: 'root@example.com', role: 'ADMIN' } },
    ]);
    expect(JSON.stringify(body)).not.toContain(PASSWORD);
  });

  it('says what is wrong with a password or an address, and makes nothing', async () => {
    const weak = await adminCreate(['--email', 'weak@example.com'], 'short');
    expect([weak.code, weak.said]).toEqual([1, expect.stringMatching(/password/i)]);
    const odd = await adminCreate(['--email', 'no address']);
    expect([odd.code, odd.said]).toEqual([1, expect.stringMatching(/email/i)]);
  });

  it('makes an account that exists an administrator only when told to', async () => {
    const person = await createAccount(app.url, 'deputy');
    expect(await adminCreate(['--email', person.email])).toEqual({
      code: 1,
      said: expect.stringContaining('--promote'),
    });
    expect(await accountsFor(person.email, person.password)).toBe(403);
    // The process of the command tells Redis nothing, and is not asked to: what it changes shows all the same.
    const reader = { base: app.url, accessToken: person.accessToken };
    const keys = CacheKeys.open(app.redisUrl);
    await warm(reader, '/users/me', keys);
    keys.close();
    expect((await adminCreate(['--email', person.email, '--promote'])).code).toBe(0);
    expect(
      await app.rows('SELECT 1 FROM cache_invalidations WHERE $1 = ANY (tags)', [`account:${person.id}`]),
    ).not.toEqual([]);
    await eventually('the account shows its role', async () => {
      const { body } = await read(reader, '/users/me');
      return body.role === 'ADMIN';
    });
    expect(await accountsFor(person.email, person.password)).toBe(200);
    expect(await adminCreate(['--email', 'nobody@example.com', '--promote'])).toEqual({
      code: 1,
      said: expect.stringContaining('no account'),
    });
  });
});
