/**
 * Who may make an account. Seen to fail: with a confirmation that takes no password, and with older links left good.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UsersService } from '../../src/features/users/users.service.js';
import { PASSWORD, NEW_PASSWORD } from '../support/accounts.fixture.js';
import { AuthFixture } from '../support/auth.fixture.js';
import type { Answer } from '../support/rest.js';
import { tokenIn } from '../support/mail-server.js';

describe('registration', () => {
  const account = (name: string): Record<string, string> => ({
    email: `${name}@example.com`,
    username: name,
    password: PASSWORD,
  });

  it('is refused where administrators make the accounts', async () => {
    const fixture = await AuthFixture.start({ REGISTRATION: 'closed' });
    try {
      const refused = await fixture.post('/auth/register', account('closed'));
      expect([refused.status, refused.body.code]).toEqual([403, 'registration_closed']);
      expect(await fixture.auditOutcomes('account_registered')).toEqual(['failure registration_closed']);
    } finally {
      await fixture.stop();
    }
  });

  describe('that is verified', () => {
    let fixture: AuthFixture;

    beforeAll(async () => {
      fixture = await AuthFixture.start({ REGISTRATION: 'verified' });
    });

    afterAll(() => fixture.stop());

    it('makes the account once its e-mail address is confirmed', async () => {
      const answer = await fixture.post('/auth/register', account('ada'));
      expect([answer.status, answer.body]).toEqual([202, undefined]);
      expect((await fixture.login('ada')).status).toBe(401);
      const token = tokenIn(await fixture.mails.nextTo('ada@example.com'));
      const confirmed = await fixture.post('/auth/register/confirm', { token, password: PASSWORD });
      expect([confirmed.status, confirmed.body]).toEqual([
        201,
        expect.objectContaining({ username: 'ada', role: 'USER' }),
      ]);
      expect((await fixture.login('ada')).status).toBe(200);
      expect((await fixture.post('/auth/register/confirm', { token, password: PASSWORD })).status).toBe(422);
    });

    it('tells only the owner of an e-mail address that it is taken', async () => {
      const { email } = await fixture.createUser();
      const answer = await fixture.post('/auth/register', { email, password: PASSWORD });
      expect([answer.status, answer.body]).toEqual([202, undefined]);
      const mail = await fixture.mails.nextTo(email);
      expect(mail.text).toContain('You have one already');
      expect(mail.text).not.toContain('#token');
    });

    it('leaves out a username that another account took meanwhile', async () => {
      await fixture.post('/auth/register', account('wanted'));
      const token = tokenIn(await fixture.mails.nextTo('wanted@example.com'));
      await fixture.createUser({ username: 'wanted' });
      const confirmed = await fixture.post('/auth/register/confirm', { token, password: PASSWORD });
      expect(confirmed.body).toMatchObject({ username: null });
    });

    it('is over when the e-mail address was registered meanwhile', async () => {
      await fixture.post('/auth/register', account('twice'));
      const token = tokenIn(await fixture.mails.nextTo('twice@example.com'));
      await fixture.get(UsersService).create({ email: 'twice@example.com', password: PASSWORD });
      const late = await fixture.post('/auth/register/confirm', { token, password: PASSWORD });
      expect([late.status, late.body.code]).toEqual([409, 'email_taken']);
    });

    it('makes no account with a password that a stranger typed for another person’s e-mail address', async () => {
      await fixture.post('/auth/register', { ...account('victim'), password: NEW_PASSWORD });
      const token = tokenIn(await fixture.mails.nextTo('victim@example.com'));
      const confirm = (password: string): Promise<Answer> =>
        fixture.post('/auth/register/confirm', { token, password });
      expect((await fixture.post('/auth/register/confirm', { token })).status).toBe(400);
      const refused = await confirm(PASSWORD);
      expect([refused.status, refused.body.code, refused.body.errors]).toEqual([
        422,
        'wrong_password',
        [{ detail: 'password is wrong', pointer: '/password' }],
      ]);
      expect((await fixture.login('victim@example.com', NEW_PASSWORD)).status).toBe(401);
      expect((await confirm(NEW_PASSWORD)).status).toBe(201);
    });

    it('is worth only its latest link', async () => {
      await fixture.post('/auth/register', { ...account('again'), password: NEW_PASSWORD });
      const older = tokenIn(await fixture.mails.nextTo('again@example.com'));
      await fixture.post('/auth/register', account('again'));
      const newer = tokenIn(await fixture.mails.nextTo('again@example.com'));
      const confirm = (token: string, password: string): Promise<Answer> =>
        fixture.post('/auth/register/confirm', { token, password });
      expect((await confirm(older, NEW_PASSWORD)).body.code).toBe('invalid_token');
      expect((await confirm(newer, PASSWORD)).status).toBe(201);
    });

    it('keeps its last mailed link, however often a stranger asks for another', async () => {
      await fixture.post('/auth/register', account('flooded'));
      let token = tokenIn(await fixture.mails.nextTo('flooded@example.com'));
      for (let asked = 1; asked < 5; asked += 1) {
        await fixture.post('/auth/register', account('flooded'));
        token = tokenIn(await fixture.mails.nextTo('flooded@example.com'));
      }
      await fixture.post('/auth/register', { ...account('flooded'), password: NEW_PASSWORD });
      expect((await fixture.post('/auth/register/confirm', { token, password: PASSWORD })).status).toBe(201);
    });
  });
});
