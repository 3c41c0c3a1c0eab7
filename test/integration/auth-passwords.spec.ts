import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hash } from 'argon2';
import { JobRegistry } from '../../src/platform/queue/job-registry.js';
import { NEW_PASSWORD, PASSWORD } from '../support/accounts.fixture.js';
import { AuthFixture, ipOf, statusAndCode } from '../support/auth.fixture.js';
import { tokenIn } from '../support/mail-server.js';

describe('passwords', () => {
  let fixture: AuthFixture;

  beforeAll(async () => {
    fixture = await AuthFixture.start();
  });

  afterAll(() => fixture.stop());

  describe('changed by their owner', () => {
    it('end the other sessions, send a notice to the owner, and leave this device known', async () => {
      const { id, email } = await fixture.createUser();
      const [mine, other] = [await fixture.login(email), await fixture.login(email)];
      const changed = await fixture.post(
        '/auth/password',
        { currentPassword: PASSWORD, newPassword: NEW_PASSWORD },
        { token: mine.body.accessToken },
      );
      expect([changed.status, changed.headers.get('cache-control')]).toEqual([200, 'no-store']);
      expect(Object.keys(changed.body)).toEqual(['knownDevice']);
      expect([await fixture.isLive(mine), await fixture.isLive(other)]).toEqual([true, false]);
      expect((await fixture.mails.nextTo(email)).text).toContain('Your password was changed');
      expect(statusAndCode(await fixture.login(email, PASSWORD))).toBe('401 invalid_credentials');
      const { knownDevice } = changed.body as { knownDevice: string };
      expect((await fixture.login(email, NEW_PASSWORD, { knownDevice })).body.knownDevice).toBe(knownDevice);
      expect(await fixture.auditOutcomes('password_changed', id)).toEqual(['success']);
    });

    it('stay as they are without the current one, or for one that is too weak', async () => {
      const { id, email } = await fixture.createUser();
      const { body } = await fixture.login(email);
      const change = (currentPassword: string, newPassword: string): ReturnType<typeof fixture.post> =>
        fixture.post('/auth/password', { currentPassword, newPassword }, { token: body.accessToken });
      expect((await change('not this one', NEW_PASSWORD)).body).toMatchObject({
        code: 'wrong_password',
        errors: [{ pointer: '/currentPassword' }],
      });
      expect((await change(PASSWORD, PASSWORD)).body).toMatchObject({
        code: 'password_unchanged',
        errors: [{ pointer: '/newPassword' }],
      });
      expect((await change(PASSWORD, 'password1234')).body).toMatchObject({
        code: 'weak_password',
        errors: [{ pointer: '/newPassword' }],
      });
      expect((await fixture.login(email)).status).toBe(200);
      expect(await fixture.auditOutcomes('password_changed', id)).toEqual([]);
    });

    it('cannot be guessed by who has the session', async () => {
      const { body } = await fixture.login((await fixture.createUser()).email);
      const answers: string[] = [];
      for (let guess = 0; guess < 7; guess += 1) {
        const asked = { currentPassword: `guess ${String(guess)}`, newPassword: NEW_PASSWORD };
        answers.push(statusAndCode(await fixture.post('/auth/password', asked, { token: body.accessToken })));
      }
      expect(answers).toEqual([
        ...Array<string>(5).fill('422 wrong_password'),
        '429 login_throttled',
        '429 login_throttled',
      ]);
    });
  });

  describe('forgotten', () => {
    it('are chosen anew by a mailed link, once, which ends all sessions', async () => {
      const { id, email } = await fixture.createUser();
      const before = await fixture.login(email);
      expect((await fixture.post('/auth/forgot-password', { identifier: email.toUpperCase() })).status).toBe(202);
      const token = tokenIn(await fixture.mails.nextTo(email));
      // Recorded when the mail is written, because the account is looked up only then.
      expect(await fixture.auditOutcomes('password_reset_requested', id)).toEqual(['success']);
      const racers = await Promise.all(
        Array.from({ length: 10 }, () => fixture.post('/auth/reset-password', { token, newPassword: NEW_PASSWORD })),
      );
      expect(racers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(racers.filter(({ status }) => status === 422)).toHaveLength(9);
      expect(await fixture.isLive(before)).toBe(false);
      expect((await fixture.login(email, NEW_PASSWORD)).status).toBe(200);
      const entries = await fixture.auditOutcomes('password_reset', id);
      expect(entries.filter((entry) => entry === 'success')).toEqual(['success']);
      expect(await fixture.auditOutcomes('password_reset')).toContain('failure invalid_token');
    });

    it('keep their link through a weak choice, and lose it with its hour', async () => {
      const { email } = await fixture.createUser();
      await fixture.post('/auth/forgot-password', { identifier: email });
      const token = tokenIn(await fixture.mails.nextTo(email));
      expect(statusAndCode(await fixture.post('/auth/reset-password', { token, newPassword: 'password1234' }))).toBe(
        '422 weak_password',
      );
      await fixture.sql.rows(`UPDATE one_time_tokens SET expires_at = now() - interval '1 second'`);
      expect(statusAndCode(await fixture.post('/auth/reset-password', { token, newPassword: NEW_PASSWORD }))).toBe(
        '422 invalid_token',
      );
      await fixture.get(JobRegistry).get('purge_one_time_tokens')({});
      expect(await fixture.sql.rows('SELECT id FROM one_time_tokens')).toEqual([]);
    });

    it('lose every link once another was used', async () => {
      const { email } = await fixture.createUser();
      await fixture.post('/auth/forgot-password', { identifier: email });
      await fixture.post('/auth/forgot-password', { identifier: email });
      const [first, second] = [await fixture.mails.nextTo(email), await fixture.mails.nextTo(email)].map((mail) =>
        tokenIn(mail),
      );
      expect(
        statusAndCode(await fixture.post('/auth/reset-password', { token: second, newPassword: NEW_PASSWORD })),
      ).toBe('200');
      expect(
        statusAndCode(await fixture.post('/auth/reset-password', { token: first, newPassword: NEW_PASSWORD })),
      ).toBe('422 invalid_token');
    });

    it('send nothing to an account that was deleted, and answer alike', async () => {
      const { id, email } = await fixture.createUser();
      await fixture.sql.rows('UPDATE users SET deleted_at = now() WHERE id = $1', [id]);
      expect((await fixture.post('/auth/forgot-password', { identifier: email })).status).toBe(202);
      const witness = await fixture.createUser();
      await fixture.post('/auth/forgot-password', { identifier: witness.email });
      await fixture.mails.nextTo(witness.email);
      expect(fixture.mails.mails.filter(({ to }) => to === email)).toEqual([]);
      expect(await fixture.sql.rows('SELECT 1 FROM one_time_tokens WHERE user_id = $1', [id])).toEqual([]);
    });

    it('send only a few mails to one mailbox', async () => {
      const { email } = await fixture.createUser();
      for (let asked = 0; asked < 8; asked += 1) {
        expect((await fixture.post('/auth/forgot-password', { identifier: email })).status).toBe(202);
      }
      const witness = await fixture.createUser();
      await fixture.post('/auth/forgot-password', { identifier: witness.email });
      await fixture.mails.nextTo(witness.email);
      expect(fixture.mails.mails.filter(({ to }) => to === email)).toHaveLength(5);
    });
  });

  it('are hashed again, harder, at the login after the parameters rose', async () => {
    const { id, email } = await fixture.createUser();
    const weak = await hash(PASSWORD, { memoryCost: 8_192, timeCost: 1, parallelism: 1 });
    await fixture.sql.rows('UPDATE users SET password_hash = $2 WHERE id = $1', [id, weak]);
    await fixture.login(email, 'wrong wrong wrong');
    expect((await fixture.accountRow(id)).passwordHash).toBe(weak);
    expect((await fixture.login(email)).status).toBe(200);
    expect((await fixture.accountRow(id)).passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,/);
    expect((await fixture.login(email)).status).toBe(200);
  });

  it('count: failures since the last login, logins, and when that was', async () => {
    const { id, email } = await fixture.createUser({ username: 'countess' });
    expect(await fixture.accountRow(id)).toMatchObject({ failedAttempts: 0, loginCount: 0, lastLoginAt: null });
    await fixture.login(email, 'wrong');
    await fixture.login('COUNTESS', 'wrong');
    expect(await fixture.accountRow(id)).toMatchObject({ failedAttempts: 2, loginCount: 0 });
    await fixture.login(email);
    const account = await fixture.accountRow(id);
    expect(account).toMatchObject({ failedAttempts: 0, loginCount: 1 });
    expect(account.lastLoginAt).toBeInstanceOf(Date);
  });

  it('do not open a blocked account, which only a right password reveals', async () => {
    const { id, email } = await fixture.createUser();
    await fixture.sql.rows('UPDATE users SET blocked_at = now() WHERE id = $1', [id]);
    expect(statusAndCode(await fixture.login(email, 'wrong'))).toBe('401 invalid_credentials');
    expect(statusAndCode(await fixture.login(email))).toBe('403 account_blocked');
  });

  it('of a web client leave its device known by a cookie that no script can read', async () => {
    const { email } = await fixture.createUser();
    const first = await fixture.post('/auth/login', { identifier: email, password: PASSWORD }, { web: '' });
    const cookie = first.headers.getSetCookie().find((line) => line.startsWith('__Host-mortise_device='));
    expect(cookie).toMatch(/; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
    expect(first.body).not.toHaveProperty('knownDevice');
    const value = cookie?.split(';')[0] ?? '';
    // Strangers behind the same IP address have used up its limit.
    for (let guess = 0; guess < 6; guess += 1) {
      await fixture.login(email, 'wrong', { from: ipOf(7) });
    }
    const again = { identifier: email, password: PASSWORD };
    expect((await fixture.post('/auth/login', again, { from: ipOf(7) })).status).toBe(429);
    const known = await fixture.post('/auth/login', again, { from: ipOf(7), web: value });
    expect(known.status).toBe(200);
    expect(known.headers.getSetCookie().join()).toContain(value);
  });

  it.each(['abc', 'é', '"', 'a'.repeat(64) + '!'])(
    'are taken from a web client whose device cookie is %p',
    async (value) => {
      const { email } = await fixture.createUser();
      const cookie = `__Host-mortise_device=${encodeURIComponent(value)}`;
      const wrong = await fixture.post('/auth/login', { identifier: email, password: 'wrong' }, { web: cookie });
      expect(wrong.status).toBe(401);
      expect(wrong.headers.getSetCookie().join()).toMatch(/__Host-mortise_device=; .*Expires=Thu, 01 Jan 1970/);
      const right = await fixture.post('/auth/login', { identifier: email, password: PASSWORD }, { web: cookie });
      expect(right.status).toBe(200);
      expect(right.headers.getSetCookie().join()).toMatch(/__Host-mortise_device=[\w-]{64};/);
    },
  );

  describe('asked for again', () => {
    it.each([
      ['POST', '/users/me/email', (): object => ({ email: `${randomUUID()}@example.com` })],
      ['DELETE', '/users/me', (): object => ({})],
    ])('cannot be guessed at %s %s by who has an access token, from wherever', async (method, path, more) => {
      const { accessToken: token } = (await fixture.login((await fixture.createUser()).email)).body;
      const answers: string[] = [];
      for (let guess = 0; guess < 7; guess += 1) {
        const body = { ...more(), password: `guess ${String(guess)}` };
        answers.push(statusAndCode(await fixture.request(method, path, body, { token, from: ipOf(1_000 + guess) })));
      }
      expect(answers).toEqual([
        ...Array<string>(5).fill('422 wrong_password'),
        '429 login_throttled',
        '429 login_throttled',
      ]);
    });

    it('are pointed at where they were sent', async () => {
      const { accessToken: token } = (await fixture.login((await fixture.createUser()).email)).body;
      const answer = await fixture.request('DELETE', '/users/me', { password: 'not mine at all' }, { token });
      expect(answer.body.errors).toEqual([{ detail: '`password` is wrong', pointer: '/password' }]);
    });
  });
});
