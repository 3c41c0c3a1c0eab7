import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hash } from 'argon2';
import { JobRegistry } from '../../src/platform/queue/job-registry.js';
import { addressOf, CHOSEN, FrontDoor, outcome, SECRET } from '../support/front-door.js';
import { tokenIn } from '../support/mail-server.js';

describe('passwords', () => {
  let door: FrontDoor;

  beforeAll(async () => {
    door = await FrontDoor.open();
  });

  afterAll(() => door.close());

  describe('changed by their owner', () => {
    it('end the other sessions, send a notice to the owner, and leave this device known', async () => {
      const { id, email } = await door.person();
      const [mine, other] = [await door.login(email), await door.login(email)];
      const changed = await door.post(
        '/auth/password',
        { currentPassword: SECRET, newPassword: CHOSEN },
        { token: mine.body.accessToken },
      );
      expect([changed.status, changed.headers.get('cache-control')]).toEqual([200, 'no-store']);
      expect(Object.keys(changed.body)).toEqual(['knownDevice']);
      expect([await door.isLive(mine), await door.isLive(other)]).toEqual([true, false]);
      expect((await door.mails.nextTo(email)).text).toContain('Your password was changed');
      expect(outcome(await door.login(email, SECRET))).toBe('401 invalid_credentials');
      const { knownDevice } = changed.body as { knownDevice: string };
      expect((await door.login(email, CHOSEN, { knownDevice })).body.knownDevice).toBe(knownDevice);
      expect(await door.audited('password_changed', id)).toEqual(['success']);
    });

    it('stay as they are without the current one, or for one that is too weak', async () => {
      const { id, email } = await door.person();
      const { body } = await door.login(email);
      const change = (currentPassword: string, newPassword: string): ReturnType<typeof door.post> =>
        door.post('/auth/password', { currentPassword, newPassword }, { token: body.accessToken });
      expect((await change('not this one', CHOSEN)).body).toMatchObject({
        code: 'wrong_password',
        errors: [{ pointer: '/currentPassword' }],
      });
      expect((await change(SECRET, SECRET)).body).toMatchObject({
        code: 'password_unchanged',
        errors: [{ pointer: '/newPassword' }],
      });
      expect((await change(SECRET, 'password1234')).body).toMatchObject({
        code: 'weak_password',
        errors: [{ pointer: '/newPassword' }],
      });
      expect((await door.login(email)).status).toBe(200);
      expect(await door.audited('password_changed', id)).toEqual([]);
    });

    it('cannot be guessed by who has the session', async () => {
      const { body } = await door.login((await door.person()).email);
      const answers: string[] = [];
      for (let guess = 0; guess < 7; guess += 1) {
        const asked = { currentPassword: `guess ${String(guess)}`, newPassword: CHOSEN };
        answers.push(outcome(await door.post('/auth/password', asked, { token: body.accessToken })));
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
      const { id, email } = await door.person();
      const before = await door.login(email);
      expect((await door.post('/auth/forgot-password', { identifier: email.toUpperCase() })).status).toBe(202);
      const token = tokenIn(await door.mails.nextTo(email));
      // Recorded when the mail is written, because the account is looked up only then.
      expect(await door.audited('password_reset_requested', id)).toEqual(['success']);
      const racers = await Promise.all(
        Array.from({ length: 10 }, () => door.post('/auth/reset-password', { token, newPassword: CHOSEN })),
      );
      expect(racers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(racers.filter(({ status }) => status === 422)).toHaveLength(9);
      expect(await door.isLive(before)).toBe(false);
      expect((await door.login(email, CHOSEN)).status).toBe(200);
      const entries = await door.audited('password_reset', id);
      expect(entries.filter((entry) => entry === 'success')).toEqual(['success']);
      expect(await door.audited('password_reset')).toContain('failure invalid_token');
    });

    it('keep their link through a weak choice, and lose it with its hour', async () => {
      const { email } = await door.person();
      await door.post('/auth/forgot-password', { identifier: email });
      const token = tokenIn(await door.mails.nextTo(email));
      expect(outcome(await door.post('/auth/reset-password', { token, newPassword: 'password1234' }))).toBe(
        '422 weak_password',
      );
      await door.sql.rows(`UPDATE one_time_tokens SET expires_at = now() - interval '1 second'`);
      expect(outcome(await door.post('/auth/reset-password', { token, newPassword: CHOSEN }))).toBe(
        '422 invalid_token',
      );
      await door.get(JobRegistry).get('purge_one_time_tokens')({});
      expect(await door.sql.rows('SELECT id FROM one_time_tokens')).toEqual([]);
    });

    it('lose every link once another was used', async () => {
      const { email } = await door.person();
      await door.post('/auth/forgot-password', { identifier: email });
      await door.post('/auth/forgot-password', { identifier: email });
      const [first, second] = [await door.mails.nextTo(email), await door.mails.nextTo(email)].map((mail) =>
        tokenIn(mail),
      );
      expect(outcome(await door.post('/auth/reset-password', { token: second, newPassword: CHOSEN }))).toBe('200');
      expect(outcome(await door.post('/auth/reset-password', { token: first, newPassword: CHOSEN }))).toBe(
        '422 invalid_token',
      );
    });

    it('send nothing to an account that was deleted, and answer alike', async () => {
      const { id, email } = await door.person();
      await door.sql.rows('UPDATE users SET deleted_at = now() WHERE id = $1', [id]);
      expect((await door.post('/auth/forgot-password', { identifier: email })).status).toBe(202);
      const witness = await door.person();
      await door.post('/auth/forgot-password', { identifier: witness.email });
      await door.mails.nextTo(witness.email);
      expect(door.mails.mails.filter(({ to }) => to === email)).toEqual([]);
      expect(await door.sql.rows('SELECT 1 FROM one_time_tokens WHERE user_id = $1', [id])).toEqual([]);
    });

    it('do not fill a mailbox', async () => {
      const { email } = await door.person();
      for (let asked = 0; asked < 8; asked += 1) {
        expect((await door.post('/auth/forgot-password', { identifier: email })).status).toBe(202);
      }
      const witness = await door.person();
      await door.post('/auth/forgot-password', { identifier: witness.email });
      await door.mails.nextTo(witness.email);
      expect(door.mails.mails.filter(({ to }) => to === email)).toHaveLength(5);
    });
  });

  it('are hashed again, harder, at the login after the parameters rose', async () => {
    const { id, email } = await door.person();
    const weak = await hash(SECRET, { memoryCost: 8_192, timeCost: 1, parallelism: 1 });
    await door.sql.rows('UPDATE users SET password_hash = $2 WHERE id = $1', [id, weak]);
    await door.login(email, 'wrong wrong wrong');
    expect((await door.accountOf(id)).passwordHash).toBe(weak);
    expect((await door.login(email)).status).toBe(200);
    expect((await door.accountOf(id)).passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,/);
    expect((await door.login(email)).status).toBe(200);
  });

  it('count: failures since the last login, logins, and when that was', async () => {
    const { id, email } = await door.person({ username: 'countess' });
    expect(await door.accountOf(id)).toMatchObject({ failedAttempts: 0, loginCount: 0, lastLoginAt: null });
    await door.login(email, 'wrong');
    await door.login('COUNTESS', 'wrong');
    expect(await door.accountOf(id)).toMatchObject({ failedAttempts: 2, loginCount: 0 });
    await door.login(email);
    const account = await door.accountOf(id);
    expect(account).toMatchObject({ failedAttempts: 0, loginCount: 1 });
    expect(account.lastLoginAt).toBeInstanceOf(Date);
  });

  it('do not open a blocked account, which only a right password reveals', async () => {
    const { id, email } = await door.person();
    await door.sql.rows('UPDATE users SET blocked_at = now() WHERE id = $1', [id]);
    expect(outcome(await door.login(email, 'wrong'))).toBe('401 invalid_credentials');
    expect(outcome(await door.login(email))).toBe('403 account_blocked');
  });

  it('of a web client leave its device known by a cookie that no script can read', async () => {
    const { email } = await door.person();
    const first = await door.post('/auth/login', { identifier: email, password: SECRET }, { web: '' });
    const cookie = first.headers.getSetCookie().find((line) => line.startsWith('__Host-mortise_device='));
    expect(cookie).toMatch(/; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
    expect(first.body).not.toHaveProperty('knownDevice');
    const value = cookie?.split(';')[0] ?? '';
    // Strangers behind the same IP address have used up its limit.
    for (let guess = 0; guess < 6; guess += 1) {
      await door.login(email, 'wrong', { from: addressOf(7) });
    }
    const again = { identifier: email, password: SECRET };
    expect((await door.post('/auth/login', again, { from: addressOf(7) })).status).toBe(429);
    const known = await door.post('/auth/login', again, { from: addressOf(7), web: value });
    expect(known.status).toBe(200);
    expect(known.headers.getSetCookie().join()).toContain(value);
  });

  it.each(['abc', 'é', '"', 'a'.repeat(64) + '!'])(
    'are taken from a web client whose device cookie is %p',
    async (value) => {
      const { email } = await door.person();
      const cookie = `__Host-mortise_device=${encodeURIComponent(value)}`;
      const wrong = await door.post('/auth/login', { identifier: email, password: 'wrong' }, { web: cookie });
      expect(wrong.status).toBe(401);
      expect(wrong.headers.getSetCookie().join()).toMatch(/__Host-mortise_device=; .*Expires=Thu, 01 Jan 1970/);
      const right = await door.post('/auth/login', { identifier: email, password: SECRET }, { web: cookie });
      expect(right.status).toBe(200);
      expect(right.headers.getSetCookie().join()).toMatch(/__Host-mortise_device=[\w-]{64};/);
    },
  );
});
