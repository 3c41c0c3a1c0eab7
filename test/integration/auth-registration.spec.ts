/**
 * Who may make an account. Seen to fail: with a confirmation that takes no password, and with older links left good.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UsersService } from '../../src/features/users/users.service.js';
import { FrontDoor, SECRET } from '../support/front-door.js';
import { tokenIn } from '../support/mail-server.js';
import type { Answer } from '../support/rest.js';

const CHOSEN = 'quiet lantern meadow 12';

describe('registration', () => {
  const account = (name: string): Record<string, string> => ({
    email: `${name}@example.com`,
    username: name,
    password: SECRET,
  });

  it('is refused where administrators make the accounts', async () => {
    const door = await FrontDoor.open({ REGISTRATION: 'closed' });
    try {
      const refused = await door.post('/auth/register', account('closed'));
      expect([refused.status, refused.body.code]).toEqual([403, 'registration_closed']);
      expect(await door.audited('account_registered')).toEqual(['failure registration_closed']);
    } finally {
      await door.close();
    }
  });

  describe('that is verified', () => {
    let door: FrontDoor;

    beforeAll(async () => {
      door = await FrontDoor.open({ REGISTRATION: 'verified' });
    });

    afterAll(() => door.close());

    it('makes the account once its e-mail address is confirmed', async () => {
      const answer = await door.post('/auth/register', account('ada'));
      expect([answer.status, answer.body]).toEqual([202, undefined]);
      expect((await door.login('ada')).status).toBe(401);
      const token = tokenIn(await door.mails.nextTo('ada@example.com'));
      const confirmed = await door.post('/auth/register/confirm', { token, password: SECRET });
      expect([confirmed.status, confirmed.body]).toEqual([
        201,
        expect.objectContaining({ username: 'ada', role: 'USER' }),
      ]);
      expect((await door.login('ada')).status).toBe(200);
      expect((await door.post('/auth/register/confirm', { token, password: SECRET })).status).toBe(422);
    });

    it('tells only the owner of an e-mail address that it is taken', async () => {
      const { email } = await door.person();
      const answer = await door.post('/auth/register', { email, password: SECRET });
      expect([answer.status, answer.body]).toEqual([202, undefined]);
      const mail = await door.mails.nextTo(email);
      expect(mail.text).toContain('You have one already');
      expect(mail.text).not.toContain('#token');
    });

    it('goes without a username that was taken meanwhile', async () => {
      await door.post('/auth/register', account('wanted'));
      const token = tokenIn(await door.mails.nextTo('wanted@example.com'));
      await door.person({ username: 'wanted' });
      const confirmed = await door.post('/auth/register/confirm', { token, password: SECRET });
      expect(confirmed.body).toMatchObject({ username: null });
    });

    it('is over when the e-mail address was registered meanwhile', async () => {
      await door.post('/auth/register', account('twice'));
      const token = tokenIn(await door.mails.nextTo('twice@example.com'));
      await door.get(UsersService).create({ email: 'twice@example.com', password: SECRET });
      const late = await door.post('/auth/register/confirm', { token, password: SECRET });
      expect([late.status, late.body.code]).toEqual([409, 'email_taken']);
    });

    it('makes no account with a password that a stranger typed for another person’s e-mail address', async () => {
      await door.post('/auth/register', { ...account('victim'), password: CHOSEN });
      const token = tokenIn(await door.mails.nextTo('victim@example.com'));
      const confirm = (password: string): Promise<Answer> => door.post('/auth/register/confirm', { token, password });
      expect((await door.post('/auth/register/confirm', { token })).status).toBe(400);
      const refused = await confirm(SECRET);
      expect([refused.status, refused.body.code, refused.body.errors]).toEqual([
        422,
        'wrong_password',
        [{ detail: 'password is wrong', pointer: '/password' }],
      ]);
      expect((await door.login('victim@example.com', CHOSEN)).status).toBe(401);
      expect((await confirm(CHOSEN)).status).toBe(201);
    });

    it('is worth only its latest link', async () => {
      await door.post('/auth/register', { ...account('again'), password: CHOSEN });
      const older = tokenIn(await door.mails.nextTo('again@example.com'));
      await door.post('/auth/register', account('again'));
      const newer = tokenIn(await door.mails.nextTo('again@example.com'));
      const confirm = (token: string, password: string): Promise<Answer> =>
        door.post('/auth/register/confirm', { token, password });
      expect((await confirm(older, CHOSEN)).body.code).toBe('invalid_token');
      expect((await confirm(newer, SECRET)).status).toBe(201);
    });

    it('keeps its last mailed link, however often a stranger asks for another', async () => {
      await door.post('/auth/register', account('flooded'));
      let token = tokenIn(await door.mails.nextTo('flooded@example.com'));
      for (let asked = 1; asked < 5; asked += 1) {
        await door.post('/auth/register', account('flooded'));
        token = tokenIn(await door.mails.nextTo('flooded@example.com'));
      }
      await door.post('/auth/register', { ...account('flooded'), password: CHOSEN });
      expect((await door.post('/auth/register/confirm', { token, password: SECRET })).status).toBe(201);
    });
  });
});
