import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UsersService } from '../../src/features/users/users.service.js';
import { LoginService } from '../../src/features/auth/login/login.service.js';
import { PASSWORD, registerUser } from '../support/accounts.fixture.js';
import { TestApp } from '../support/test-app.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { emptyRedis } from '../support/redis.js';

describe('accounts', () => {
  const client = { ip: '192.0.2.7', userAgent: 'jest' };
  let database: TestDatabase;
  let node: TestApp;

  beforeAll(async () => {
    database = await createTestDatabase();
    node = await TestApp.start({
      env: { ROLES: 'api', DATABASE_URL: database.url, REDIS_URL: await emptyRedis() },
    });
  });

  afterAll(async () => {
    await node.stop();
    await database.drop();
  });

  it('are made with a hashed password and found by e-mail address or username, in any case', async () => {
    const ada = await registerUser(node, { email: 'Ada@Example.com', username: 'Countess', password: PASSWORD });
    expect(ada).toMatchObject({
      email: 'ada@example.com',
      username: 'countess',
      displayName: 'countess',
      role: 'USER',
    });
    expect(Object.keys(ada)).not.toContain('passwordHash');
    const [row] = await node.rows<{ password_hash: string }>('SELECT password_hash FROM users WHERE id = $1', [ada.id]);
    expect(row?.password_hash).toMatch(/^\$argon2id\$/);
    for (const identifier of ['ADA@example.com', 'countess', 'COUNTESS']) {
      await expect(node.get(LoginService).login({ identifier, password: PASSWORD }, client)).resolves.toMatchObject({
        user: ada,
      });
      await expect(node.get(UsersService).findByIdentifier(identifier)).resolves.toEqual(ada);
    }
    await expect(node.get(UsersService).get(ada.id)).resolves.toEqual(ada);
  });

  it('can be made with the role of an administrator, though not by registering', async () => {
    const admin = await node.get(UsersService).create({ email: 'root@example.com', password: PASSWORD, role: 'ADMIN' });
    expect(admin.role).toBe('ADMIN');
    const sneaky = { email: 'eve@example.com', password: PASSWORD, role: 'ADMIN' };
    await expect(registerUser(node, sneaky)).resolves.toMatchObject({ role: 'USER' });
  });

  it('have unique names: the first registration wins', async () => {
    const twins = await Promise.allSettled([
      registerUser(node, { email: 'twin@example.com', password: PASSWORD }),
      registerUser(node, { email: 'TWIN@example.com', password: PASSWORD }),
    ]);
    expect(twins.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(twins.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'email_taken', kind: 'conflict' },
    });
    await registerUser(node, { email: 'first@example.com', username: 'wanted', password: PASSWORD });
    const second = registerUser(node, { email: 'second@example.com', username: 'WANTED', password: PASSWORD });
    await expect(second).rejects.toMatchObject({ code: 'username_taken', errors: [{ pointer: '/username' }] });
  });

  it('do not open with a wrong password, nor for a wrong name, and the refusals are alike', async () => {
    await registerUser(node, { email: 'closed@example.com', password: PASSWORD });
    const refusals = await Promise.all(
      [
        node.get(LoginService).login({ identifier: 'closed@example.com', password: 'wrong' }, client),
        node.get(LoginService).login({ identifier: 'nobody@example.com', password: PASSWORD }, client),
      ].map((login) => login.catch((error: unknown) => JSON.stringify(error))),
    );
    expect(refusals[0]).toBe(refusals[1]);
    expect(refusals[0]).toContain('invalid_credentials');
  });
});
