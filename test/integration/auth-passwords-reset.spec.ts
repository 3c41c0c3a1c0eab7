import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NEW_PASSWORD, PASSWORD } from '../support/accounts.fixture.js';
import { AuthFixture, type LoginAnswer, statusAndCode } from '../support/auth.fixture.js';
import type { Answer } from '../support/rest.js';
import { tokenIn } from '../support/mail-server.js';
import { eventually } from '../support/wait.js';

/** Passwords that are good for being changed only, or for nothing any more. */
describe('passwords', () => {
  let fixture: AuthFixture;

  beforeAll(async () => {
    fixture = await AuthFixture.start({ PASSWORD_MAX_AGE: '90d' });
  });

  afterAll(() => fixture.stop());

  const reset = async (userId: string, means: string, role: 'ADMIN' | 'USER' = 'ADMIN') => {
    const { body } = await fixture.login((await fixture.createUser({ role })).email);
    return fixture.request<{ oneTimePassword: string }>(
      'PATCH',
      `/users/${userId}/reset-password`,
      { means },
      { token: body.accessToken },
    );
  };

  describe('reset by an administrator', () => {
    it('are good for choosing another, and nothing else', async () => {
      const { id, email } = await fixture.createUser();
      const before = await fixture.login(email);
      const { oneTimePassword } = (await reset(id, 'one_time_password')).body;
      expect(await fixture.isLive(before)).toBe(false);
      expect(statusAndCode(await fixture.login(email))).toBe('401 invalid_credentials');
      const refused = await fixture.login(email, oneTimePassword);
      expect(statusAndCode(refused)).toBe('403 password_change_required');
      const { changeToken } = refused.body;
      const complete = (): ReturnType<typeof fixture.post> =>
        fixture.post('/auth/complete-password-change', { changeToken, newPassword: NEW_PASSWORD });
      expect((await complete()).status).toBe(200);
      expect(statusAndCode(await complete())).toBe('422 invalid_token');
      expect(statusAndCode(await fixture.login(email, oneTimePassword))).toBe('401 invalid_credentials');
      expect((await fixture.login(email, NEW_PASSWORD)).status).toBe(200);
      expect(await fixture.auditOutcomes('user_password_reset', id)).toEqual(['success']);
      expect(await fixture.auditOutcomes('login')).toContain('failure password_change_required');
    });

    it('open one login, of however many at once, and are not what is chosen next', async () => {
      const { id, email } = await fixture.createUser();
      const { oneTimePassword } = (await reset(id, 'one_time_password')).body;
      const logins = await Promise.all(Array.from({ length: 4 }, () => fixture.login(email, oneTimePassword)));
      expect(logins.map(statusAndCode).sort()).toEqual([
        ...Array<string>(3).fill('401 invalid_credentials'),
        '403 password_change_required',
      ]);
      expect(statusAndCode(await fixture.login(email, oneTimePassword))).toBe('401 invalid_credentials');
      const changeToken = logins.find(({ status }) => status === 403)?.body.changeToken ?? '';
      const complete = (newPassword: string): ReturnType<typeof fixture.post> =>
        fixture.post('/auth/complete-password-change', { changeToken, newPassword });
      expect((await complete(oneTimePassword)).body).toMatchObject({
        code: 'password_unchanged',
        errors: [{ pointer: '/newPassword' }],
      });
      expect((await complete(NEW_PASSWORD)).status).toBe(200);
      expect((await fixture.login(email, NEW_PASSWORD)).status).toBe(200);
    });

    it('are as wrong as any other once their day is over', async () => {
      const { id, email } = await fixture.createUser();
      const { oneTimePassword } = (await reset(id, 'one_time_password')).body;
      const age = (hours: number): Promise<unknown> =>
        fixture.sql.rows('UPDATE users SET password_changed_at = now() - make_interval(hours => $2) WHERE id = $1', [
          id,
          hours,
        ]);
      await age(25);
      const [late, wrong] = [
        await fixture.login(email, oneTimePassword),
        await fixture.login(email, 'wrong wrong wrong'),
      ];
      const shown = ({ status, headers, body }: Answer<LoginAnswer>): unknown => [
        status,
        [...headers.keys()].sort(),
        { ...body, requestId: '', timestamp: '' },
      ];
      expect(late.body.code).toBe('invalid_credentials');
      expect(shown(late)).toEqual(shown(wrong));
      const again = (await reset(id, 'one_time_password')).body.oneTimePassword;
      await age(23);
      expect(statusAndCode(await fixture.login(email, again))).toBe('403 password_change_required');
    });

    it('are chosen by a mailed link', async () => {
      const { id, email } = await fixture.createUser();
      expect((await reset(id, 'link')).body).toEqual({ oneTimePassword: null });
      expect(statusAndCode(await fixture.login(email))).toBe('401 invalid_credentials');
      const token = tokenIn(await fixture.mails.nextTo(email));
      expect((await fixture.post('/auth/reset-password', { token, newPassword: NEW_PASSWORD })).status).toBe(200);
      expect((await fixture.login(email, NEW_PASSWORD)).status).toBe(200);
    });

    it('stay as they are for others, and for who does not exist', async () => {
      const { id, email } = await fixture.createUser();
      expect((await reset(id, 'link', 'USER')).status).toBe(403);
      expect((await fixture.login(email)).status).toBe(200);
      expect(statusAndCode(await reset('019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55', 'link'))).toBe('404 user_not_found');
      expect((await reset(id, 'shout')).status).toBe(400);
    });
  });

  describe('of an account that was blocked', () => {
    const blocked = (id: string, at: string): Promise<unknown> =>
      fixture.sql.rows(`UPDATE users SET blocked_at = ${at} WHERE id = $1`, [id]);
    const open = (id: string): Promise<unknown[]> =>
      fixture.sql.rows('SELECT 1 FROM one_time_tokens WHERE user_id = $1 AND used_at IS NULL', [id]);

    it('are not mailed a link for, with the answer that every name gets', async () => {
      const { id, email } = await fixture.createUser();
      await blocked(id, 'now()');
      expect((await fixture.post('/auth/forgot-password', { identifier: email })).status).toBe(202);
      await eventually('the request is done', async () => {
        return (await fixture.sql.rows(`SELECT 1 FROM mails WHERE status = 'PENDING'`)).length === 0;
      });
      await fixture.mails.recipients();
      expect([await open(id), fixture.mails.mails.filter(({ to }) => to === email)]).toEqual([[], []]);
    });

    it.each([
      ['a forgotten one', (email: string) => fixture.post('/auth/forgot-password', { identifier: email })],
      ['one taken away', async (_email: string, id: string) => reset(id, 'link')],
    ])('are not chosen by the link for %s before it is unblocked', async (_which, ask) => {
      const { id, email } = await fixture.createUser();
      await ask(email, id);
      const token = tokenIn(await fixture.mails.nextTo(email));
      const redeem = (): ReturnType<typeof fixture.post> =>
        fixture.post('/auth/reset-password', { token, newPassword: NEW_PASSWORD });
      await blocked(id, 'now()');
      expect(statusAndCode(await redeem())).toBe('422 invalid_token');
      await blocked(id, 'NULL');
      expect(statusAndCode(await redeem())).toBe('200');
    });

    it('are neither completed nor confirmed', async () => {
      const { id, email } = await fixture.createUser();
      await fixture.sql.rows(`UPDATE users SET email_since = now() - interval '8 days' WHERE id = $1`, [id]);
      const complete = async (): Promise<string> => {
        const { oneTimePassword } = (await reset(id, 'one_time_password')).body;
        const { changeToken } = (await fixture.login(email, oneTimePassword)).body;
        return changeToken;
      };
      const chosen = { changeToken: await complete(), newPassword: NEW_PASSWORD };
      await blocked(id, 'now()');
      expect(statusAndCode(await fixture.post('/auth/complete-password-change', chosen))).toBe('422 invalid_token');
      await blocked(id, 'NULL');
      expect(statusAndCode(await fixture.post('/auth/complete-password-change', chosen))).toBe('200');
      await fixture.mails.nextTo(email);
      const token = tokenIn(await fixture.mails.nextTo(email));
      await blocked(id, 'now()');
      expect(statusAndCode(await fixture.post('/auth/unlock/confirm', { token }))).toBe('422 invalid_token');
    });
  });

  it('expire where they are meant to', async () => {
    const { id, email } = await fixture.createUser();
    await fixture.sql.rows(`UPDATE users SET password_changed_at = now() - interval '91 days' WHERE id = $1`, [id]);
    const refused = await fixture.login(email);
    expect(statusAndCode(refused)).toBe('403 password_change_required');
    const { changeToken } = refused.body;
    const same = await fixture.post('/auth/complete-password-change', { changeToken, newPassword: PASSWORD });
    expect([statusAndCode(same), same.body.errors]).toEqual([
      '422 password_unchanged',
      [{ detail: '`newPassword` must be another one than before', pointer: '/newPassword' }],
    ]);
    await fixture.post('/auth/complete-password-change', { changeToken, newPassword: NEW_PASSWORD });
    expect((await fixture.login(email, NEW_PASSWORD)).status).toBe(200);
  });
});
