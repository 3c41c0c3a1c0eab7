/** Numbers for text messages against people who guess codes, run up costs, bother strangers, or pose as the provider. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { FORCED } from '../support/notifications.fixture.js';
import type { Door } from '../support/sharing.fixture.js';
import { SmsFixture, someNumber } from '../support/sms.fixture.js';
import { TWILIO_CALLBACK, twilioSignature } from '../support/twilio-server.js';
import { eventually } from '../support/wait.js';

let fixture: SmsFixture;
let door: Door;
let ada: InsertedAccount;
let mallory: InsertedAccount;

beforeAll(async () => {
  fixture = await SmsFixture.start();
}, 60_000);

afterAll(() => fixture.stop());

beforeEach(async () => {
  await fixture.forget();
  door = await fixture.createDoor();
  ({ ada, guest: mallory } = door);
});

const others = (code: string): string[] =>
  Array.from({ length: 40 }, (_, n) => String((Number(code) + 1 + n) % 1_000_000).padStart(6, '0'));

const statuses = (answers: readonly { status: number }[]): number[] => answers.map(({ status }) => status).sort();

/** The minute after which the same number may be sent another code is over. */
async function letAMinutePass(): Promise<void> {
  await fixture.sql.rows(`UPDATE notification_phone_codes SET sent_at = sent_at - interval '1 minute'`);
}

describe('a code', () => {
  it('is void after five tries, however many come at once', async () => {
    const number = someNumber();
    await fixture.name(ada, number);
    const code = fixture.twilio.codeFor(number);
    const guesses = await Promise.all(others(code).map((guess) => fixture.confirm(ada, guess)));
    expect(new Set(statuses(guesses))).toEqual(new Set([422]));
    const [{ tries } = { tries: 0 }] = await fixture.sql.rows<{ tries: number }>(
      'SELECT tries FROM notification_phone_codes WHERE user_id = $1',
      [ada.id],
    );
    expect(tries).toBe(5);
    expect((await fixture.confirm(ada, code)).status).toBe(422);
    expect(await fixture.phoneOf(ada)).toMatchObject({ number: null, waiting: null });
  });

  it('works once, at the last try as well, and not after ten minutes', async () => {
    const number = someNumber();
    await fixture.name(ada, number);
    const code = fixture.twilio.codeFor(number);
    for (const guess of others(code).slice(0, 4)) {
      await fixture.confirm(ada, guess);
    }
    expect((await fixture.phoneOf(ada)).waiting).toMatchObject({ triesLeft: 1 });
    expect(statuses([await fixture.confirm(ada, code), await fixture.confirm(ada, code)])).toEqual([200, 422]);

    const other = someNumber();
    await fixture.name(ada, other);
    await fixture.sql.rows(`UPDATE notification_phone_codes SET expires_at = now()`);
    expect((await fixture.confirm(ada, fixture.twilio.codeFor(other))).status).toBe(422);
    const [row] = await fixture.sql.rows<{ row: string }>(
      `SELECT p::text || c::text || coalesce((SELECT string_agg(a::text, '') FROM audit_entries a), '') AS row
       FROM notification_phones p JOIN notification_phone_codes c USING (user_id) WHERE user_id = $1`,
      [ada.id],
    );
    const hex = (text: string): string => Buffer.from(text).toString('hex');
    for (const secret of [number, other, code, fixture.twilio.codeFor(other)]) {
      expect(row!.row).not.toContain(secret.replace('+', ''));
      expect(row!.row).not.toContain(hex(secret));
    }
  });

  it('confirms for the person alone who had it sent, also where two name the same number', async () => {
    const number = someNumber();
    await fixture.name(ada, number);
    const code = fixture.twilio.codeFor(number);
    expect((await fixture.confirm(mallory, code)).status).toBe(422);
    const named = await fixture.name(mallory, number);
    const { number: shown } = (await fixture.phoneOf(ada)).waiting!;
    expect(named).toMatchObject({ status: 200, body: { number: null, waiting: { number: shown, triesLeft: 5 } } });
    // One in a million that it is the same.
    expect((await fixture.confirm(mallory, code)).status).toBe(422);
    expect((await fixture.confirm(ada, code)).status).toBe(200);
    expect((await fixture.phoneOf(mallory)).number).toBeNull();
    // A household has one telephone.
    expect((await fixture.confirm(mallory, fixture.twilio.codeFor(number))).status).toBe(200);
    await fixture.request(mallory, 'DELETE', '/notifications/phone');
    expect((await fixture.phoneOf(mallory)).number).toBeNull();
    expect((await fixture.phoneOf(ada)).number).not.toBeNull();
  });

  it('is sent once for two requests at once, and for other spellings of a number', async () => {
    const number = someNumber();
    const spelled = `${number.slice(0, 3)} (${number.slice(3, 6)}) / ${number.slice(6, 10)}-${number.slice(10)}`;
    const answers = await Promise.all([number, spelled, number, spelled].map((one) => fixture.name(ada, one)));
    expect(statuses(answers)).toEqual([200, 200, 200, 200]);
    expect(fixture.twilio.taken.length).toBe(1);
    for (const wrong of [
      number.replace('+', '00'),
      number.replace('+49', '0'),
      `+49(0)${number.slice(3)}`,
      '+0123456789',
    ]) {
      expect(await fixture.name(ada, wrong)).toMatchObject({ status: 400 });
    }
    await fixture.confirm(ada, fixture.twilio.codeFor(number));
    expect(await fixture.name(ada, spelled)).toMatchObject({ status: 200, body: { waiting: null } });
    expect(fixture.twilio.taken.length).toBe(1);
  });

  it('leaves the number before it in use until it is confirmed', async () => {
    const [first, second] = [await fixture.giveNumber(ada), someNumber()];
    await fixture.choose(ada, 'door_forced', 'sms', true);
    await fixture.name(ada, second);
    await fixture.report(door, FORCED);
    await eventually('the first is told', () => fixture.twilio.sentTo(first).length === 2);
    expect(fixture.twilio.sentTo(second).length).toBe(1);
    // Back again: the other one waits no more.
    expect(await fixture.name(ada, first)).toMatchObject({ body: { waiting: null } });
    expect((await fixture.confirm(ada, fixture.twilio.codeFor(second))).status).toBe(422);
  });
});

describe('text messages that a person causes', () => {
  it('are three in an hour, whatever the numbers, and six in a day', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => fixture.name(mallory, someNumber())));
    expect(statuses(answers)).toEqual([200, 200, 200, ...Array<number>(17).fill(429)]);
    expect(fixture.twilio.asked).toBe(3);
    // The next hour.
    await fixture.sql.rows(`DELETE FROM sms_counts WHERE subject LIKE '% in a hour'`);
    const later = await Promise.all(Array.from({ length: 20 }, () => fixture.name(mallory, someNumber())));
    expect(statuses(later).filter((status) => status === 200).length).toBe(3);
    await fixture.sql.rows(`DELETE FROM sms_counts WHERE subject LIKE '% in a hour'`);
    expect((await fixture.name(mallory, someNumber())).status).toBe(429);
    expect(fixture.twilio.asked).toBe(6);
    // Of others, nothing is taken.
    expect((await fixture.name(ada, someNumber())).status).toBe(200);
  });

  it('to one number are five in an hour of all people, and more than one of them can cause', async () => {
    const number = someNumber();
    for (let time = 0; time < 6; time += 1) {
      await fixture.name(mallory, number);
      await letAMinutePass();
    }
    expect(fixture.twilio.asked).toBe(3);
    expect((await fixture.name(ada, number)).status).toBe(200);
    const accounts = await Promise.all(Array.from({ length: 6 }, (_, n) => fixture.createAccount(`more-${String(n)}`)));
    await Promise.all(accounts.map((who) => fixture.name(who, number)));
    expect(fixture.twilio.asked).toBe(5);
  });

  it('by any number of accounts are bounded in an hour, and have half of the budget at most', async () => {
    const accounts = await Promise.all(Array.from({ length: 10 }, (_, n) => fixture.createAccount(`one-${String(n)}`)));
    const setTo = (subject: string, period: string, used: number): Promise<unknown> =>
      fixture.sql.rows(
        `INSERT INTO sms_counts (subject, begins_at, used) VALUES ($1, date_trunc($2, now(), 'UTC'), $3)
         ON CONFLICT (subject, begins_at) DO UPDATE SET used = $3`,
        [subject, period, used],
      );
    await setTo('codes in a hour', 'hour', 57);
    await Promise.all(accounts.map((who) => fixture.name(who, someNumber())));
    expect(fixture.twilio.asked).toBe(3);
    await setTo('codes in a hour', 'hour', 0);
    await setTo('segments of codes', 'month', 498);
    const answers = await Promise.all(accounts.map((who) => fixture.name(who, someNumber())));
    expect([fixture.twilio.asked, statuses(answers).filter((status) => status === 200).length]).toEqual([5, 2]);
    expect(await fixture.segments('segments of codes')).toBe(500);
  });

  it('that the provider refuses are told of, and counted no more', async () => {
    const number = someNumber();
    fixture.twilio.refusals.set(number, { status: 400, code: 21_614 });
    expect(await fixture.name(ada, number)).toMatchObject({ status: 422, body: { code: 'phone_number_refused' } });
    expect([await fixture.segments(), (await fixture.phoneOf(ada)).waiting]).toEqual([0, null]);
    fixture.twilio.refusals.set(number, 'silence');
    expect(await fixture.name(ada, number)).toMatchObject({ status: 503, body: { code: 'phone_code_not_sent' } });
    // It may have been sent.
    expect([await fixture.segments(), (await fixture.phoneOf(ada)).waiting]).toEqual([1, expect.anything()]);
  });
});

describe('a provider that takes the request and is silent', () => {
  it('is waited for no longer than a person waits, holds up nothing else of theirs, and may have sent the code', async () => {
    const number = someNumber();
    fixture.twilio.refusals.set(number, 'hanging');
    const began = performance.now();
    const naming = fixture.name(ada, number);
    await eventually('it is asked', () => fixture.twilio.hanging === 1);
    // No transaction waits for the provider.
    expect((await fixture.phoneOf(ada)).waiting).toMatchObject({ triesLeft: 5 });
    expect((await fixture.name(ada, number)).status).toBe(200);
    expect((await fixture.name(mallory, someNumber())).status).toBe(200);
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(await naming).toMatchObject({
      status: 503,
      body: { code: 'phone_code_not_sent', detail: expect.stringContaining('If the code comes nevertheless') },
    });
    expect(performance.now() - began).toBeLessThan(6_000);
    expect((await fixture.phoneOf(ada)).waiting).not.toBeNull();
  });

  it('sends a code to who has removed their number meanwhile, and it is good for nothing', async () => {
    const number = someNumber();
    fixture.twilio.refusals.set(number, 'hanging');
    const naming = fixture.name(ada, number);
    await eventually('it is asked', () => fixture.twilio.asked === 1);
    expect((await fixture.request(ada, 'DELETE', '/notifications/phone')).status).toBe(204);
    expect((await naming).status).toBe(503);
    expect(await fixture.phoneOf(ada)).toMatchObject({ number: null, waiting: null });
  });
});

describe('who poses as the provider', () => {
  const sent = async (): Promise<{ id: string; number: string }> => {
    const number = await fixture.giveNumber(ada);
    await fixture.choose(ada, 'door_forced', 'sms', true);
    await fixture.report(door, FORCED);
    const { id } = await fixture.told(ada, 'door_forced');
    await eventually('it is sent', async () =>
      (await fixture.sentOf(ada, id)).some(({ channel, state }) => channel === 'sms' && state === 'SENT'),
    );
    return { id, number };
  };

  it('changes nothing, whatever is forged', async () => {
    const { id, number } = await sent();
    const sms = fixture.twilio.sentTo(number).at(-1)!;
    const form = { MessageSid: sms.sid, MessageStatus: 'failed', ErrorCode: '21610', To: number };
    const right = twilioSignature(sms.callback, form);
    const audited = async (): Promise<unknown> =>
      fixture.sql.rows('SELECT count(*) FROM audit_entries WHERE NOT action LIKE $1', ['%sign%']);
    const before = await audited();
    const forged: [string, Record<string, string>, string | null][] = [
      [sms.callback, form, null],
      [sms.callback, form, ''],
      [sms.callback, form, 'x'.repeat(5_000)],
      [sms.callback, form, twilioSignature(sms.callback, form, 'another token')],
      [sms.callback, form, twilioSignature(sms.callback, form, '')],
      [sms.callback, { ...form, To: someNumber() }, right],
      [sms.callback, { ...form, More: '' }, right],
      [`${TWILIO_CALLBACK}?id=${ada.id}`, form, right],
      [TWILIO_CALLBACK, form, twilioSignature(TWILIO_CALLBACK, form)],
      [`${sms.callback}&id=${ada.id}`, form, right],
      [sms.callback, {}, right],
    ];
    for (const [url, members, signature] of forged) {
      const answer = await fixture.post(url, members, signature);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        403,
        expect.stringContaining('problem+json'),
      ]);
      expect(await answer.json()).toMatchObject({ code: 'invalid_sms_report' });
    }
    const url = fixture.application.url + new URL(sms.callback).pathname + new URL(sms.callback).search;
    const headers = { 'x-twilio-signature': right, 'content-type': 'application/x-www-form-urlencoded' };
    const twice = `${String(new URLSearchParams(form))}&To=${encodeURIComponent(number)}`;
    expect((await fetch(url, { method: 'POST', headers, body: twice })).status).toBe(403);
    expect((await fetch(url, { method: 'POST', headers, body: `a=${'a'.repeat(100_000)}` })).status).toBe(413);
    const asJson = { ...headers, 'content-type': 'application/json' };
    expect((await fetch(url, { method: 'POST', headers: asJson, body: JSON.stringify({ To: { a: 1 } }) })).status).toBe(
      403,
    );
    expect(await audited()).toEqual(before);
    expect(await fixture.sentOf(ada, id)).toContainEqual(expect.objectContaining({ channel: 'sms', state: 'SENT' }));
    expect(await fixture.phoneOf(ada)).toMatchObject({ stoppedAt: null });
    expect((await fixture.post(sms.callback, form, right)).status).toBe(204);
    expect(await fixture.phoneOf(ada)).toMatchObject({ stopReason: 'twilio_21610' });
  });

  it('and the provider itself, change no message of another channel, and none that there is not', async () => {
    const { id } = await sent();
    const mail = await eventually('it was mailed', async () =>
      (await fixture.sentOf(ada, id)).find(({ channel, state }) => channel === 'email' && state === 'SENT'),
    );
    for (const other of [mail.messageId, ada.id, 'no-id', 'a'.repeat(200)]) {
      const callback = `${TWILIO_CALLBACK}?id=${other}`;
      expect((await fixture.reportSms({ sid: 'SM2', to: '+1', text: '', callback }, 'failed')).status).toBe(204);
    }
    expect(await fixture.sentOf(ada, id)).toContainEqual(mail);
  });
});
