/** Text messages that tell people something: from the number to the report that they arrived, within the budget of the month. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PinoLogger } from 'nestjs-pino';
import { SmsTransport } from '../../src/features/notifications/sms/sms-transport.js';
import type { ChannelMessage } from '../../src/features/notifications/channels/notification-transport.js';
import { DecryptionError } from '../../src/platform/crypto/encryption.js';
import type { InsertedAccount } from '../support/accounts.fixture.js';
import { FORCED, LOW, type SentBody } from '../support/notifications.fixture.js';
import type { Door } from '../support/sharing.fixture.js';
import { SmsFixture, someNumber } from '../support/sms.fixture.js';
import { TestApp } from '../support/test-app.js';
import { eventually } from '../support/wait.js';

const BUDGET = 40;

let fixture: SmsFixture;
let second: TestApp;
let door: Door;

beforeAll(async () => {
  const env = { SMS_MONTHLY_BUDGET: String(BUDGET), SMS_MONTHLY_PER_PERSON: '30' };
  fixture = await SmsFixture.start(env);
  const { databaseUrl: DATABASE_URL, redisUrl: REDIS_URL } = fixture.application;
  second = await TestApp.start({
    env: { ...fixture.twilio.settings, ...env, DATABASE_URL, REDIS_URL, ROLES: 'worker' },
  });
}, 60_000);

afterAll(async () => {
  await second.stop();
  await fixture.stop();
});

beforeEach(async () => {
  await fixture.forget();
  door = await fixture.createDoor();
});

afterEach(() => {
  jest.restoreAllMocks();
});

function message(userId: string, isUrgent = true): ChannelMessage {
  const shown = { title: 'Forced', text: 'open', url: 'https://doors.example.com', language: 'en' };
  const about = {
    isUrgent,
    kind: 'door_forced',
    kinds: ['door_forced'],
    count: 1,
    failures: 0,
    data: {},
    usefulForMs: 60_000,
  } as const;
  return { id: randomUUID(), userId, ...shown, ...about };
}

async function withNumber(who: InsertedAccount): Promise<string> {
  const number = await fixture.giveNumber(who);
  await fixture.choose(who, 'door_forced', 'sms', true);
  await fixture.choose(who, 'low_battery', 'sms', true);
  // Codes count, too.
  await fixture.forget();
  return number;
}

async function smsOf(id: string, state: string): Promise<SentBody> {
  return eventually(`it is ${state}`, async () =>
    (await fixture.sentOf(door.ada, id)).find((one) => one.channel === 'sms' && one.state === state),
  );
}

describe('a text message', () => {
  it('goes from a number that was confirmed to a report that it was delivered', async () => {
    const number = someNumber();
    expect(await fixture.phoneOf(door.ada)).toEqual({
      number: null,
      verifiedAt: null,
      stoppedAt: null,
      stopReason: null,
      waiting: null,
    });
    await fixture.choose(door.ada, 'door_forced', 'sms', true);
    const named = await fixture.name(door.ada, number);
    const masked = `${number.slice(0, 3)}*********${number.slice(-2)}`;
    expect(named).toMatchObject({ status: 200, body: { number: null, waiting: { number: masked, triesLeft: 5 } } });
    // Nothing is sent there yet but the code.
    await fixture.report(door, FORCED);
    expect(await fixture.settled(door.ada, (await fixture.told(door.ada, 'door_forced')).id)).toMatchObject([
      { channel: 'email' },
    ]);
    const code = fixture.twilio.codeFor(number);
    expect(await fixture.confirm(door.ada, code)).toMatchObject({
      status: 200,
      body: { number: masked, waiting: null },
    });
    expect((await fixture.confirm(door.ada, code)).status).toBe(422);

    await fixture.sql.rows('UPDATE notifications SET dedup_key = NULL');
    await fixture.report(door, FORCED);
    const { id } = await eventually('told again', async () => {
      const list = await fixture.listOf(door.ada);
      return list.length === 2 ? list[0] : null;
    });
    await smsOf(id, 'SENT');
    const [, sms] = fixture.twilio.sentTo(number);
    expect(sms!.text).toMatch(/^"Front door" was forced open\n.*\nhttp\S+\/notifications$/s);
    expect(sms!.callback).toMatch(/\/sms-status\?id=[\da-f-]{36}$/);
    for (const status of ['queued', 'sent', 'delivered', 'delivered', 'sent', 'undelivered']) {
      expect((await fixture.reportSms(sms!, status, { ErrorCode: '30003' })).status).toBe(204);
    }
    expect(await smsOf(id, 'DELIVERED')).toMatchObject({ lastError: null, attempts: 1 });
  });

  it('that the network did not deliver has failed, whatever is reported after that', async () => {
    const number = await withNumber(door.ada);
    await fixture.report(door, FORCED);
    const { id } = await fixture.told(door.ada, 'door_forced');
    await smsOf(id, 'SENT');
    const [sms] = fixture.twilio.sentTo(number);
    await fixture.reportSms({ ...sms!, sid: 'SM-of-another' }, 'undelivered', { ErrorCode: '30003' });
    expect(await smsOf(id, 'SENT')).toBeDefined();
    await fixture.reportSms(sms!, 'undelivered', { ErrorCode: '30003' });
    await fixture.reportSms(sms!, 'delivered');
    expect(await smsOf(id, 'FAILED')).toMatchObject({ lastError: 'twilio_30003' });
    // It was only out of reach.
    expect(await fixture.phoneOf(door.ada)).toMatchObject({ stoppedAt: null });
  });

  it('that is reported before its attempt is settled is not sent again', async () => {
    const number = await withNumber(door.ada);
    fixture.twilio.refusals.set(number, 'silence');
    await fixture.report(door, FORCED);
    const { id } = await fixture.told(door.ada, 'door_forced');
    const { messageId } = await eventually('it failed once', async () =>
      (await fixture.sentOf(door.ada, id)).find(({ lastError }) => lastError === 'twilio_connection_failed'),
    );
    const callback = `https://doors.example.com/api/v1/notifications/sms-status?id=${messageId}`;
    await fixture.reportSms({ sid: 'SM1', to: number, text: '', callback }, 'delivered');
    expect(await smsOf(id, 'DELIVERED')).toMatchObject({ attempts: 1 });
  });

  it.each([21_610, 21_211, 21_614])(
    'to a number that takes none any more (%d) ends all to that number',
    async (code) => {
      const number = await withNumber(door.ada);
      await fixture.giveNumber(door.grace, number);
      fixture.twilio.refusals.set(number, { status: 400, code });
      await fixture.report(door, FORCED);
      const { id } = await fixture.told(door.ada, 'door_forced');
      expect(await smsOf(id, 'FAILED')).toMatchObject({ attempts: 1, lastError: `twilio_${String(code)}` });
      const stopped = { stopReason: `twilio_${String(code)}`, stoppedAt: expect.any(String) };
      expect(await fixture.phoneOf(door.ada)).toMatchObject(stopped);
      expect(await fixture.phoneOf(door.grace)).toMatchObject(stopped);
      const asked = fixture.twilio.asked;
      await fixture.report(door, LOW);
      await fixture.settled(door.ada, (await fixture.told(door.ada, 'low_battery')).id);
      expect(fixture.twilio.asked).toBe(asked);
      fixture.twilio.refusals.clear();
      await fixture.giveNumber(door.ada, number);
      expect(await fixture.phoneOf(door.ada)).toMatchObject({ stoppedAt: null, stopReason: null });
      const [audited] = await fixture.sql.rows<{ actor: string; after: object }>(
        `SELECT actor, after FROM audit_entries WHERE action = 'phone_stopped' AND entity_id = $1`,
        [door.ada.id],
      );
      expect(audited).toEqual({
        actor: 'system',
        after: { number: expect.stringContaining('*'), reason: `twilio_${String(code)}` },
      });
    },
  );

  it('whose number ended by a report ends the number', async () => {
    const number = await withNumber(door.ada);
    await fixture.report(door, FORCED);
    await smsOf((await fixture.told(door.ada, 'door_forced')).id, 'SENT');
    await fixture.reportSms(fixture.twilio.sentTo(number)[0]!, 'undelivered', { ErrorCode: '30006' });
    expect(await fixture.phoneOf(door.ada)).toMatchObject({ stopReason: 'twilio_30006' });
  });

  it('ends nothing that was confirmed since, also where its report comes late, or again', async () => {
    const number = await withNumber(door.ada);
    await fixture.report(door, FORCED);
    await smsOf((await fixture.told(door.ada, 'door_forced')).id, 'SENT');
    const [sms] = fixture.twilio.sentTo(number);
    await fixture.reportSms(sms!, 'undelivered', { ErrorCode: '21610' });
    await fixture.giveNumber(door.ada, number);
    expect((await fixture.reportSms(sms!, 'undelivered', { ErrorCode: '21610' })).status).toBe(204);
    expect(await fixture.phoneOf(door.ada)).toMatchObject({ stoppedAt: null, stopReason: null });
  });
});

describe('the budget', () => {
  /** Of two processes, one after the other. */
  const transports = (): SmsTransport[] => [fixture.application.get(SmsTransport), second.get(SmsTransport)];

  it('is exact for fifty at once by two processes, and told of once', async () => {
    await Promise.all([door.ada, door.grace].map((who) => withNumber(who)));
    await fixture.forget();
    const warn = jest.spyOn(PinoLogger.prototype, 'warn');
    const messages = Array.from({ length: 50 }, (_, n) => message(n % 2 === 0 ? door.ada.id : door.grace.id));
    const outcomes = await Promise.all(messages.map((one, n) => transports()[Math.floor(n / 2) % 2]!.send(one)));
    expect(outcomes.filter(({ sent }) => sent).length).toBe(BUDGET);
    expect(outcomes.filter((one) => !one.sent && one.isOverBudget === true).length).toBe(50 - BUDGET);
    expect([fixture.twilio.taken.length, await fixture.segments()]).toEqual([BUDGET, BUDGET]);
    const told = warn.mock.calls.map(([about]) => about).filter((about) => 'percent' in Object(about));
    expect(told).toEqual([80, 100].map((percent) => ({ percent, budget: BUDGET })));
    expect(await second.metric('mortise_sms_segments_used')).toBe(BUDGET);
    expect(await second.metric('mortise_sms_segments_budget')).toBe(BUDGET);
  });

  it('has each person’s share, and keeps the last tenth for what is urgent', async () => {
    await withNumber(door.ada);
    const [transport] = transports();
    const sent = async (count: number, isUrgent: boolean): Promise<number> => {
      const outcomes = await Promise.all(
        Array.from({ length: count }, () => transport!.send(message(door.ada.id, isUrgent))),
      );
      return outcomes.filter((one) => one.sent).length;
    };
    expect(await sent(35, false)).toBe(27);
    expect(await sent(5, true)).toBe(3);
    expect(await fixture.segments()).toBe(30);
  });

  it('counts a message once, however often it is tried, and not what was refused', async () => {
    const number = await withNumber(door.ada);
    const one = message(door.ada.id);
    fixture.twilio.refusals.set(number, 'silence');
    for (const transport of [...transports(), ...transports()]) {
      expect(await transport.send(one)).toMatchObject({ sent: false, isPermanent: false });
    }
    expect(await fixture.segments()).toBe(1);
    // It may have been sent before this.
    fixture.twilio.refusals.set(number, { status: 429, code: 20_429 });
    await transports()[0]!.send(one);
    expect(await fixture.segments()).toBe(1);
    await transports()[0]!.send(message(door.ada.id));
    expect([await fixture.segments(), await fixture.segments(`segments of ${door.ada.id}`)]).toEqual([1, 1]);
    fixture.twilio.refusals.clear();
    expect(await Promise.all(transports().map((transport) => transport.send(one)))).toMatchObject([
      { sent: true },
      { sent: true },
    ]);
    expect(await fixture.segments()).toBe(1);
  });

  it('is not touched where the number was sealed by another key', async () => {
    await withNumber(door.ada);
    await fixture.sql.rows('UPDATE notification_phones SET sealed = $2 WHERE user_id = $1', [
      door.ada.id,
      Buffer.alloc(40),
    ]);
    await expect(transports()[0]!.send(message(door.ada.id))).rejects.toThrow(DecryptionError);
    expect([fixture.twilio.asked, await fixture.segments()]).toEqual([0, 0]);
  });

  it('that is used suppresses what is not sent', async () => {
    await withNumber(door.ada);
    await fixture.sql.rows(
      `INSERT INTO sms_counts (subject, begins_at, used) VALUES ('segments', date_trunc('month', now(), 'UTC'), $1)`,
      [BUDGET],
    );
    await fixture.report(door, FORCED);
    const { id } = await fixture.told(door.ada, 'door_forced');
    expect(await smsOf(id, 'SUPPRESSED')).toMatchObject({ reason: 'over_budget' });
    expect(fixture.twilio.asked).toBe(0);
    const { status } = await fixture.name(door.grace, someNumber());
    expect([status, fixture.twilio.asked, await fixture.segments()]).toEqual([429, 0, BUDGET]);
    // The month that is over counts no more.
    await fixture.sql.rows(`UPDATE sms_counts SET begins_at = begins_at - interval '1 month'`);
    expect(await transports()[0]!.send(message(door.ada.id))).toMatchObject({ sent: true });
  });
});
