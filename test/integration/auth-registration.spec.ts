import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FrontDoor, SECRET } from '../support/front-door.js';
import { tokenIn } from '../support/mail-server.js';

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

    it('makes the account once its address is confirmed', async () => {
      const answer = await door.post('/auth/register', account('ada'));
      expect([answer.status, answer.body]).toEqual([202, undefined]);
      expect((await door.login('ada')).status).toBe(401);
      const token = tokenIn(await door.mails.nextTo('ada@example.com'));
      const confirmed = await door.post('/auth/register/confirm', { token });
      expect([confirmed.status, confirmed.body]).toEqual([
        201,
        expect.objectContaining({ username: 'ada', role: 'USER' }),
      ]);
      expect((await door.login('ada')).status).toBe(200);
      expect((await door.post('/auth/register/confirm', { token })).status).toBe(422);
    });

    it('tells only the owner of an address that it is taken', async () => {
      const { email } = await door.person();
      const answer = await door.post('/auth/register', { email, password: SECRET });
      expect([answer.status, answer.body]).toEqual([202, undefined]);
      const mail = await door.mails.nextTo(email);
      expect(mail.text).toContain('You have one already');
      expect(mail.text).not.toContain('#token');
    });

    it('goes without a username that somebody took meanwhile', async () => {
      await door.post('/auth/register', account('wanted'));
      const token = tokenIn(await door.mails.nextTo('wanted@example.com'));
      await door.person({ username: 'wanted' });
      expect((await door.post('/auth/register/confirm', { token })).body).toMatchObject({ username: null });
    });

    it('is over when the address was registered meanwhile', async () => {
      await door.post('/auth/register', account('twice'));
      await door.post('/auth/register', account('twice'));
      const tokens = [await door.mails.nextTo('twice@example.com'), await door.mails.nextTo('twice@example.com')];
      const answers = await Promise.all(
        tokens.map((mail) => door.post('/auth/register/confirm', { token: tokenIn(mail) })),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    });
  });
});
