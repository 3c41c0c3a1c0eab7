/**
 * What becomes of links that were mailed when the account behind them changes. Seen to fail: with `email_change` left out
 * of the tokens that are revoked, with an administrator's change that only writes the e-mail address; with a stolen session
 * that ends alone; with a session that is locked before its account (deadlock).
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { decodeJwt } from 'jose';
import { PASSWORD, NEW_PASSWORD } from '../support/accounts.fixture.js';
import { AuthFixture, statusAndCode } from '../support/auth.fixture.js';
import type { Answer } from '../support/rest.js';
import { tokenIn } from '../support/mail-server.js';
import { Sql } from '../support/sql.js';
import { eventually } from '../support/wait.js';

let fixture: AuthFixture;
let admin: string;

beforeAll(async () => {
  fixture = await AuthFixture.start();
  admin = (await fixture.signedIn({ role: 'ADMIN' })).token;
}, 60_000);

afterAll(() => fixture.stop());

const fresh = (): string => `${randomUUID()}@example.com`;
const emailOf = async (id: string): Promise<unknown> =>
  (await fixture.sql.rows<{ email: string }>('SELECT email FROM users WHERE id = $1', [id]))[0]?.email;
const endSession = (token: string, by = token): Promise<Answer> =>
  fixture.request('DELETE', `/auth/sessions/${decodeJwt<{ sid: string }>(token).sid}`, {}, { token: by });

describe('A pending change of the e-mail address', () => {
  it.each([
    [
      'the password was changed',
      (token: string) =>
        fixture.post('/auth/password', { currentPassword: PASSWORD, newPassword: NEW_PASSWORD }, { token }),
    ],
    [
      'an administrator reset the password',
      (_: string, id: string) =>
        fixture.request('PATCH', `/users/${id}/reset-password`, { means: 'one_time_password' }, { token: admin }),
    ],
    [
      'the account was blocked and let in again',
      async (_: string, id: string) => {
        await fixture.post(`/users/${id}/block`, {}, { token: admin });
        return fixture.post(`/users/${id}/unblock`, {}, { token: admin });
      },
    ],
    [
      'the account was deleted and restored',
      async (_: string, id: string) => {
        await fixture.request('DELETE', `/users/${id}`, {}, { token: admin });
        return fixture.post(`/users/${id}/restore`, {}, { token: admin });
      },
    ],
    [
      'the account was deleted with others and restored',
      async (_: string, id: string) => {
        await fixture.request('DELETE', '/users/bulk', { ids: [id] }, { token: admin });
        return fixture.post(`/users/${id}/restore`, {}, { token: admin });
      },
    ],
    ['a session was ended', (token: string) => endSession(token)],
    ['all sessions were ended', (token: string) => fixture.post('/auth/logout-all', {}, { token })],
    ['all other sessions were ended', (token: string) => fixture.post('/auth/logout-others', {}, { token })],
  ])('is over when %s', async (_when, end) => {
    const { id, email, token } = await fixture.signedIn();
    const mailed = await fixture.askForEmail(token, fresh());
    expect((await end(token, id)).status).toBeLessThan(300);
    expect(statusAndCode(await fixture.confirmEmail(mailed))).toBe('422 invalid_token');
    expect(await emailOf(id)).toBe(email);
  });

  it('is over when its session ends as stolen, and not by a logout', async () => {
    const [stolen, left] = [await fixture.signedIn(), await fixture.signedIn()];
    const links = [await fixture.askForEmail(stolen.token, fresh()), await fixture.askForEmail(left.token, fresh())];
    for (const from of ['192.0.2.1', '192.0.2.2']) {
      await fixture.post('/auth/refresh', { refreshToken: stolen.refreshToken }, { from });
    }
    await fixture.post('/auth/logout', {}, { token: left.token });
    expect((await Promise.all(links.map((link) => fixture.confirmEmail(link)))).map(statusAndCode)).toEqual([
      '422 invalid_token',
      '204',
    ]);
  });

  it('is confirmed while a session is being ended, and they never deadlock', async () => {
    const { id, email, token } = await fixture.signedIn();
    const other = (await fixture.login(email)).body.accessToken;
    const mailed = await fixture.askForEmail(token, fresh());
    const holder = await Sql.open(fixture.application.databaseUrl);
    await holder.rows('BEGIN');
    await holder.rows('SELECT 1 FROM one_time_tokens WHERE user_id = $1 FOR UPDATE', [id]);
    const confirmed = fixture.confirmEmail(mailed);
    await eventually('the link waits', async () => (await fixture.sql.lockWaits()) >= 1);
    const ended = endSession(token, other);
    await eventually('the end of the session waits', async () => (await fixture.sql.lockWaits()) >= 2);
    await holder.rows('COMMIT');
    await holder.end();
    expect([statusAndCode(await confirmed), statusAndCode(await ended)]).toEqual(['204', '404 not_found']);
  });

  it.each(['blocked_at', 'deleted_at'])('is not confirmed for an account with %s', async (column) => {
    const { id, email, token } = await fixture.signedIn();
    const mailed = await fixture.askForEmail(token, fresh());
    await fixture.sql.rows(`UPDATE users SET ${column} = now() WHERE id = $1`, [id]);
    expect(statusAndCode(await fixture.confirmEmail(mailed))).toBe('422 invalid_token');
    expect(await emailOf(id)).toBe(email);
  });

  it('sends a notice to the old one at once, and another when it is confirmed, which ends the sessions', async () => {
    const { email, token } = await fixture.signedIn();
    const mailed = await fixture.askForEmail(token, fresh());
    expect((await fixture.mails.nextTo(email)).text).toContain('Somebody who knows your password asked');
    expect((await fixture.confirmEmail(mailed)).status).toBe(204);
    expect((await fixture.mails.nextTo(email)).text).toContain('no longer belongs to it');
    expect((await fixture.request('POST', '/auth/logout-others', {}, { token })).status).toBe(401);
  });

  it('does not begin when the password changed while it was being looked at', async () => {
    const { id, token } = await fixture.signedIn();
    const holder = await Sql.open(fixture.application.databaseUrl);
    await holder.rows('BEGIN');
    await holder.rows('UPDATE users SET password_changed_at = now() WHERE id = $1', [id]);
    const asked = fixture.post('/users/me/email', { email: fresh(), password: PASSWORD }, { token });
    await eventually('the request waits for the account', async () => (await fixture.sql.lockWaits()) > 0);
    await holder.rows('COMMIT');
    await holder.end();
    expect(statusAndCode(await asked)).toBe('422 wrong_password');
    expect(await fixture.sql.rows(`SELECT 1 FROM one_time_tokens WHERE user_id = $1`, [id])).toEqual([]);
  });
});

describe('An e-mail address that an administrator changes', () => {
  const correct = (id: string, email: string): Promise<Answer> =>
    fixture.request('PATCH', `/users/${id}`, { email }, { token: admin });

  it('leaves no link behind at the wrong one, and invites the right one', async () => {
    const [typo, right] = [fresh(), fresh()];
    const { id } = (await fixture.post<{ id: string }>('/users', { email: typo }, { token: admin })).body;
    const misled = tokenIn(await fixture.mails.nextTo(typo));
    expect((await correct(id, right)).status).toBe(200);
    expect((await fixture.mails.nextTo(typo)).text).toContain('An administrator changed the e-mail address');
    expect(
      statusAndCode(await fixture.post('/auth/reset-password', { token: misled, newPassword: NEW_PASSWORD })),
    ).toBe('422 invalid_token');
    const token = tokenIn(await fixture.mails.nextTo(right));
    expect((await fixture.post('/auth/reset-password', { token, newPassword: NEW_PASSWORD })).status).toBe(200);
    expect((await fixture.login(right, NEW_PASSWORD)).status).toBe(200);
  });

  it('ends the sessions and every link, and sends a notice to the old one', async () => {
    const { id, email, token } = await fixture.signedIn();
    await fixture.post('/auth/forgot-password', { identifier: email });
    const forgotten = tokenIn(await fixture.mails.nextTo(email));
    const moving = await fixture.askForEmail(token, fresh());
    await fixture.mails.nextTo(email);
    const corrected = fresh();
    expect((await correct(id, corrected)).status).toBe(200);
    expect((await fixture.mails.nextTo(email)).text).toContain('An administrator changed the e-mail address');
    expect((await fixture.post('/auth/logout-others', {}, { token })).status).toBe(401);
    expect((await fixture.confirmEmail(moving)).status).toBe(422);
    expect((await fixture.post('/auth/reset-password', { token: forgotten, newPassword: NEW_PASSWORD })).status).toBe(
      422,
    );
    expect((await fixture.login(corrected)).status).toBe(200);
  });

  it('keeps sessions and links when it stays what it was', async () => {
    const { id, email, token } = await fixture.signedIn();
    const moving = await fixture.askForEmail(token, fresh());
    expect((await correct(id, email.toUpperCase())).status).toBe(200);
    expect((await fixture.request('PATCH', `/users/${id}`, { displayName: 'Ada' }, { token: admin })).status).toBe(200);
    expect((await fixture.post('/auth/logout-others', {}, { token })).status).toBe(200);
    expect((await fixture.login(email)).status).toBe(200);
    expect(moving).toHaveLength(43);
  });
});
