/**
 * Who may make an account. Seen to fail: with a confirmation that takes no password, and with older links left good.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EmailQuotaService } from '../../src/features/auth/email/email-quota.service.js';
import { UsersService } from '../../src/features/users/users.service.js';
import { PASSWORD, NEW_PASSWORD } from '../support/accounts.fixture.js';
import { AuthFixture } from '../support/auth.fixture.js';
import type { Answer } from '../support/rest.js';
import { tokenIn } from '../support/mail-server.js';

const OWNER = '203.0.113.1';
const STRANGER = '198.51.100.7';

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
        [{ detail: '`password` is wrong', pointer: '/password' }],
      ]);
      expect((await fixture.login('victim@example.com', NEW_PASSWORD)).status).toBe(401);
      expect((await confirm(NEW_PASSWORD)).status).toBe(201);
    });

    it('is good by each link that was mailed, until the first one makes the account', async () => {
      await fixture.post('/auth/register', { ...account('again'), password: NEW_PASSWORD }, { from: OWNER });
      const owners = tokenIn(await fixture.mails.nextTo('again@example.com'));
      await fixture.post('/auth/register', account('again'), { from: STRANGER });
      const strangers = tokenIn(await fixture.mails.nextTo('again@example.com'));
      const confirm = (token: string, password: string): Promise<Answer> =>
        fixture.post('/auth/register/confirm', { token, password });
      expect((await confirm(owners, NEW_PASSWORD)).status).toBe(201);
      expect((await confirm(strangers, PASSWORD)).body.code).toBe('invalid_token');
    });

    it('gets its mail, however often strangers register the same e-mail address', async () => {
      const register = (from: string): Promise<Answer> => fixture.post('/auth/register', account('flooded'), { from });
      const strangers = async (times: number, ipOf: (time: number) => string): Promise<number> => {
        let admitted = 0;
        for (let time = 0; time < times; time += 1) {
          const options = { askedFrom: ipOf(time) };
          admitted += (await fixture.get(EmailQuotaService).consume('flooded@example.com', options)) ? 1 : 0;
        }
        return admitted;
      };
      for (let asked = 0; asked < 6; asked += 1) {
        expect((await register(STRANGER)).status).toBe(202);
      }
      expect(await linksTo('flooded')).toBe(5);
      expect(await strangers(20, (time) => `198.51.100.${String(8 + (time % 2))}`)).toBe(5);
      expect((await register(OWNER)).status).toBe(202);
      expect(await linksTo('flooded')).toBe(6);
      // Nor is the mailbox flooded, from however many addresses.
      expect(await strangers(100, (time) => `192.0.2.${String(time)}`)).toBe(19);
    });

    /** Registrations that a link was mailed for; others leave a token without an account. */
    async function linksTo(name: string): Promise<number> {
      const open = `SELECT 1 FROM one_time_tokens WHERE used_at IS NULL AND payload #>> '{account,email}' = $1`;
      return (await fixture.sql.rows(open, [`${name}@example.com`])).length;
    }
  });
});
