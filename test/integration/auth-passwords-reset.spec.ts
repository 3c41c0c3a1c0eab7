import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NEW_PASSWORD, PASSWORD } from '../support/accounts.fixture.js';
import { AuthFixture, type LoginAnswer, statusAndCode } from '../support/auth.fixture.js';
import type { Answer } from '../support/rest.js';
import { tokenIn } from '../support/mail-server.js';

/** Passwords that are good for being changed only, or for nothing any more. */
describe('passwords', () => {
  let fixture: AuthFixture;

  beforeAll(async () => {
    fixture = await AuthFixture.start({ PASSWORD_MAX_AGE: '90d' });
  });

  afterAll(() => fixture.stop());

  describe('reset by an administrator', () => {
    const reset = async (userId: string, means: string, role: 'ADMIN' | 'USER' = 'ADMIN') => {
      const { body } = await fixture.login((await fixture.createUser({ role })).email);
      return fixture.request<{ oneTimePassword: string }>(
        'PATCH',
        `/users/${userId}/reset-password`,
        { means },
        { token: body.accessToken },
      );
    };

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

  it('expire where they are meant to', async () => {
    const { id, email } = await fixture.createUser();
    await fixture.sql.rows(`UPDATE users SET password_changed_at = now() - interval '91 days' WHERE id = $1`, [id]);
    const refused = await fixture.login(email);
    expect(statusAndCode(refused)).toBe('403 password_change_required');
    const { changeToken } = refused.body;
    const same = await fixture.post('/auth/complete-password-change', { changeToken, newPassword: PASSWORD });
    expect([statusAndCode(same), same.body.errors]).toEqual([
      '422 password_unchanged',
      [{ detail: 'newPassword must be another one than before', pointer: '/newPassword' }],
    ]);
    await fixture.post('/auth/complete-password-change', { changeToken, newPassword: NEW_PASSWORD });
    expect((await fixture.login(email, NEW_PASSWORD)).status).toBe(200);
  });
});
