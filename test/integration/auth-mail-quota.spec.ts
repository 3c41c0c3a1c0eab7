/**
 * How much mail one mailbox gets, whoever causes it. Seen to fail: without the quota; with notices that are sent whenever a
 * password is changed (a stranger's account at my address: 6 of 6), or that strangers can use up; with a count for each
 * IPv6 /64 (30 of one site keep the owner from any mail), with a known device that is counted like a stranger, and with one that
 * was known before the password or the name was another's, and is counted like those that are known now.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { EmailQuotaService } from '../../src/features/auth/email/email-quota.service.js';
import { SignalBus } from '../../src/platform/redis/signal-bus.js';
import { PASSWORD, NEW_PASSWORD } from '../support/accounts.fixture.js';
import { AuthFixture, ipOf, statusAndCode } from '../support/auth.fixture.js';
import type { Answer } from '../support/rest.js';
import { eventually } from '../support/wait.js';

let fixture: AuthFixture;
let admin: string;

beforeAll(async () => {
  fixture = await AuthFixture.start();
  admin = (await fixture.signedIn({ role: 'ADMIN' })).token;
}, 60_000);

afterAll(() => fixture.stop());

/** Counts begin anew with each hour of the database: a test that is short begins after it rather than just before. */
beforeEach(() =>
  fixture.sql.rows(`
    SELECT pg_sleep(CASE WHEN remaining < 10 THEN remaining ELSE 0 END)
    FROM (SELECT extract(epoch FROM date_bin('1 hour', now(), timestamptz 'epoch') + interval '1 hour' - now())) AS h (remaining)`),
);

const fresh = (): string => `${randomUUID()}@example.com`;
describe('Mail to one e-mail address', () => {
  const statusesOf = async (times: number, send: () => Promise<Answer>): Promise<string[]> => {
    const codes: string[] = [];
    for (let time = 0; time < times; time += 1) {
      const answer = await send();
      codes.push(`${statusAndCode(answer)} ${answer.headers.has('retry-after') ? 'later' : ''}`.trim());
    }
    return codes;
  };
  const refusedAfterFive = (status: string): string[] => [
    ...Array<string>(5).fill(status),
    '429 mail_quota_exceeded later',
  ];

  it.each([
    ['nobody has', (): Promise<string> => Promise.resolve(fresh())],
    ['another account has', async (): Promise<string> => (await fixture.signedIn()).email],
  ])('that %s is refused to a person who asks to change to it over and over', async (_which, mailbox) => {
    const [{ token }, email] = [await fixture.signedIn(), await mailbox()];
    const send = (): Promise<Answer> => fixture.post('/users/me/email', { email, password: PASSWORD }, { token });
    expect(await statusesOf(6, send)).toEqual(refusedAfterFive('202'));
    const [{ token: others }] = [await fixture.signedIn()];
    const other = await fixture.post('/users/me/email', { email, password: PASSWORD }, { token: others });
    expect(other.status).toBe(202);
  });

  it('repeats a notice to the old e-mail address five times at most', async () => {
    const { email: old, token } = await fixture.signedIn();
    const email = fresh();
    for (let time = 0; time < 5; time += 1) {
      await fixture.askForEmail(token, fresh());
    }
    const mailed = await fixture.askForEmail(token, email);
    for (let time = 0; time < 5; time += 1) {
      expect((await fixture.mails.nextTo(old)).text).toContain('Somebody who knows your password asked');
    }
    expect((await fixture.confirmEmail(mailed)).status).toBe(204);
    expect((await fixture.mails.nextTo(old)).text).toContain('no longer belongs to it');
    expect(statusAndCode(await fixture.login(email))).toBe('200');
  });

  it('is refused to an administrator who resets over and over, and not because of strangers', async () => {
    const { id, email } = await fixture.createUser();
    for (let host = 0; host < 12; host += 1) {
      await fixture.post('/auth/forgot-password', { identifier: email }, { from: ipOf(host * 7 + 5_000) });
    }
    const reset = (): Promise<Answer> =>
      fixture.request('PATCH', `/users/${id}/reset-password`, { means: 'link' }, { token: admin });
    expect(await statusesOf(6, reset)).toEqual(refusedAfterFive('200'));
  });

  const named = (): string => `u${randomUUID().slice(0, 8)}`;
  const forgot = (identifier: string, from = '198.51.100.77', knownDevice?: string): Promise<Answer> =>
    fixture.post(
      '/auth/forgot-password',
      { identifier, ...(knownDevice === undefined ? {} : { knownDevice }) },
      { from },
    );
  const allWritten = (): Promise<unknown> =>
    eventually('all are written', async () => {
      const waiting = `SELECT 1 FROM mails WHERE status = 'PENDING'`;
      return (await fixture.sql.rows(waiting)).length === 0;
    });

  it('is bounded for strangers who know its username as well', async () => {
    const username = named();
    const { id, email } = await fixture.createUser({ username });
    await statusesOf(8, () => forgot(email));
    await statusesOf(8, () => forgot(username));
    await allWritten();
    const links = `SELECT 1 FROM one_time_tokens WHERE purpose = 'password_reset' AND user_id = $1`;
    expect(await fixture.sql.rows(links, [id])).toHaveLength(10);
  });

  it('tells by no refusal that it is what a username stands for', async () => {
    const username = named();
    const [{ email }, { token }] = [await fixture.createUser({ username }), await fixture.signedIn()];
    await statusesOf(5, () => forgot(username, '198.51.100.78'));
    await statusesOf(5, () => forgot(username, '198.51.100.79'));
    await allWritten();
    const send = (): Promise<Answer> => fixture.post('/users/me/email', { email, password: PASSWORD }, { token });
    expect(await statusesOf(2, send)).toEqual(['202', '202']);
  });

  it('is counted once, however often its server sends it away', async () => {
    const username = named();
    const { email } = await fixture.createUser({ username });
    // A mail of another test would be refused as well, and taken for this one.
    await allWritten();
    await fixture.mails.refuse({ code: 450, text: 'Later' });
    await forgot(username, '198.51.100.80');
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await eventually(`attempt ${String(attempt)} is refused`, async () => {
        const refused = `UPDATE mails SET next_attempt_at = now(), last_error = NULL
                         WHERE status = 'PENDING' AND attempts = $1 AND last_error IS NOT NULL RETURNING id`;
        return (await fixture.sql.rows(refused, [attempt])).length > 0;
      });
      if (attempt === 5) {
        await fixture.mails.refuse(null);
      }
      fixture.get(SignalBus).publish('mail_enqueued', {});
    }
    await fixture.mails.nextTo(email);
    await forgot(username, '198.51.100.80');
    expect((await fixture.mails.nextTo(email)).subject).toBe('Reset your password');
  });

  const changePassword = (token: string, time: number): Promise<Answer> => {
    const [currentPassword, newPassword] = time % 2 === 0 ? [PASSWORD, NEW_PASSWORD] : [NEW_PASSWORD, PASSWORD];
    return fixture.post('/auth/password', { currentPassword, newPassword }, { token });
  };
  /** As if thirty strangers had asked for a link. @returns how many got one. */
  async function strangers(
    mailbox: string,
    byUsername = false,
    ipOfHost = (host: number) => ipOf(host * 7),
  ): Promise<number> {
    const quota = fixture.get(EmailQuotaService);
    let admitted = 0;
    for (let host = 1; host <= 30; host += 1) {
      admitted += (await quota.consume(mailbox, { byUsername, askedFrom: ipOfHost(host) })) ? 1 : 0;
    }
    return admitted;
  }
  const mailsTo = async (email: string): Promise<string[]> => {
    await allWritten();
    // Whatever the mail server took before it answers this has arrived here.
    await fixture.mails.recipients();
    return fixture.mails.mails.filter(({ to }) => to === email).map(({ text }) => text);
  };

  it('is no more than five notices, however often an administrator resets the password', async () => {
    const { id, email } = await fixture.createUser();
    for (let time = 0; time < 7; time += 1) {
      await fixture.request('PATCH', `/users/${id}/reset-password`, { means: 'one_time_password' }, { token: admin });
    }
    expect(await mailsTo(email)).toHaveLength(5);
  });

  it('is five notices of a password that changes over and over, and those of its address, whatever strangers asked for', async () => {
    const { email, token } = await fixture.signedIn();
    expect(await strangers(email)).toBe(30);
    for (let time = 0; time < 6; time += 1) {
      await changePassword(token, time);
    }
    expect((await fixture.confirmEmail(await fixture.askForEmail(token, fresh()))).status).toBe(204);
    const notices = (await mailsTo(email)).filter((text) => !text.includes('#token='));
    expect(notices).toHaveLength(7);
    for (const told of ['asked for another e-mail address', 'no longer belongs to it']) {
      expect(notices.filter((text) => text.includes(told))).toHaveLength(1);
    }
  });

  it('is not used up by one site with many networks', async () => {
    const { email } = await fixture.createUser();
    expect(await strangers(email, false, (network) => `2001:db8:77:${network.toString(16)}::1`)).toBe(5);
    await forgot(email, '203.0.113.5');
    expect(await mailsTo(email)).toHaveLength(1);
  });

  it.each(['email', 'username'] as const)(
    'has room for a device that its owner signed in on, asked by %s',
    async (by) => {
      const username = named();
      const { email, knownDevice } = await fixture.signedIn({ username });
      const name = by === 'email' ? email : username;
      await strangers(name);
      await strangers(email, true);
      await forgot(name, '203.0.113.6');
      await forgot(name, '203.0.113.6', (await fixture.signedIn()).knownDevice);
      expect(await mailsTo(email)).toHaveLength(0);
      const web = `__Host-mortise_device=${knownDevice}`;
      expect((await fixture.post('/auth/forgot-password', { identifier: name }, { web })).status).toBe(202);
      await statusesOf(5, () => forgot(name, '203.0.113.6', knownDevice));
      expect(await mailsTo(email)).toHaveLength(5);
    },
  );

  it.each([
    ['another password', (): string => 'password_changed_at = now()'],
    ['another username', (): string => `username = '${named()}'`],
  ])('has room for a known device, whatever one asks for that was known before %s', async (_what, change) => {
    const username = named();
    const former = await fixture.signedIn({ username });
    await fixture.sql.rows(`UPDATE users SET ${change()} WHERE id = $1`, [former.id]);
    const [found] = await fixture.sql.rows('SELECT 1 FROM users WHERE username = $1', [username]);
    const { email } = found ? former : await fixture.createUser({ username });
    const { knownDevice } = (await fixture.login(email)).body;
    await statusesOf(5, () => forgot(username, '203.0.113.7', former.knownDevice));
    expect(await mailsTo(email)).toHaveLength(5);
    await strangers(username);
    await strangers(email, true);
    await statusesOf(5, () => forgot(username, '203.0.113.7', former.knownDevice));
    expect(await mailsTo(email)).toHaveLength(5);
    await statusesOf(5, () => forgot(username, '203.0.113.7', knownDevice));
    expect(await mailsTo(email)).toHaveLength(10);
  });
});
