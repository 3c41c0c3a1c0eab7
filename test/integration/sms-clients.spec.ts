/** Text messages by Twilio, against a server that checks what its documents ask for; and the forms of the targets of messages. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { PinoLogger } from 'nestjs-pino';
import { ConfigModule } from '../../src/config/config.module.js';
import { loadConfig } from '../../src/config/load-config.js';
import { ClockModule } from '../../src/platform/clock/clock.module.js';
import { IsE164, IsPushKey, IsPushSecret, IsPushToken } from '../../src/platform/http/members/push-target.decorator.js';
import { SmsClient } from '../../src/platform/sms/sms-client.js';
import { SmsModule } from '../../src/platform/sms/sms.module.js';
import { json } from '../support/google-server.js';
import { failure, gone } from '../support/push.fixture.js';
import { ScriptedServer } from '../support/scripted-server.js';

const ACCOUNT = 'AC0123456789abcdef0123456789abcdef';
const SECRET = 'twilio-secret';
const TO = '+4915112345678';
const ID = '0197f2ab-7c1e-7d2a-9d3b-1a2b3c4d5e6f';
const NEEDED = {
  NODE_ENV: 'test',
  DATABASE_URL: 'postgres://nowhere',
  REDIS_URL: 'redis://nowhere',
  MASTER_KEY: Buffer.alloc(32).toString('base64'),
};

const log = { setContext: jest.fn(), info: jest.fn() };
let twilio: ScriptedServer;

beforeEach(async () => {
  twilio = await ScriptedServer.start();
  twilio.answer(json(201, { sid: 'SM1', status: 'queued' }));
});

afterEach(() => {
  twilio.stop();
});

async function clientWith(settings: Record<string, string> = {}): Promise<SmsClient> {
  const module = await Test.createTestingModule({
    imports: [ConfigModule.with(loadConfig({ ...NEEDED, ...settings })), ClockModule, SmsModule],
  })
    .useMocker((token) => (token === PinoLogger ? log : undefined))
    .compile();
  return module.get(SmsClient);
}

const twilioWith = (settings: Record<string, string> = {}): Promise<SmsClient> =>
  clientWith({
    TWILIO_ACCOUNT_SID: ACCOUNT,
    TWILIO_AUTH_TOKEN: SECRET,
    TWILIO_FROM: '+15005550006',
    TWILIO_URL: twilio.url,
    ...settings,
  });

/** Nothing was sent. */
const refused = (outcome: object): object => ({ ...outcome, isRefused: true });
/** It may have been. */
const lost = (outcome: object): object => ({ ...outcome, isRefused: false });

describe('TwilioClient', () => {
  it('sends a form with the credentials of the account', async () => {
    const client = await twilioWith();
    expect(await client.send(TO, 'Tür offen & mehr', ID)).toEqual({ sent: true, providerId: 'SM1' });
    const [request] = twilio.requests;
    const { method, url, headers, body } = request!;
    expect([method, url]).toEqual(['POST', `/2010-04-01/Accounts/${ACCOUNT}/Messages.json`]);
    expect(headers.authorization).toBe(`Basic ${Buffer.from(`${ACCOUNT}:${SECRET}`).toString('base64')}`);
    expect(headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/);
    expect(Object.fromEntries(new URLSearchParams(body.toString()))).toEqual({
      To: TO,
      From: '+15005550006',
      Body: 'Tür offen & mehr',
    });
  });

  it('sends by a messaging service, asks for reports where it is told to, and cuts what Twilio refuses', async () => {
    const service = `MG${'0'.repeat(32)}`;
    const callback = 'https://doors.example.com/sms?a=1';
    const client = await twilioWith({ TWILIO_FROM: service, TWILIO_STATUS_CALLBACK: callback });
    await client.send(TO, 'a'.repeat(2_000), ID);
    const form = Object.fromEntries(new URLSearchParams(twilio.requests[0]!.body.toString()));
    expect(form).toEqual({
      To: TO,
      MessagingServiceSid: service,
      Body: 'a'.repeat(1_600),
      StatusCallback: `${callback}&id=${ID}`,
    });
  });

  it.each([
    [json(400, { code: 21211, message: `The 'To' number ${TO} is not valid.` }), refused(gone('twilio_21211'))],
    [json(400, { code: 21610, message: 'Attempt to send to unsubscribed recipient' }), refused(gone('twilio_21610'))],
    [json(400, { code: 21614 }), refused(gone('twilio_21614'))],
    [json(400, { code: 21408 }), refused(failure('twilio_21408', { isPermanent: true }))],
    [json(401, { code: 20003 }), refused(failure('twilio_20003'))],
    [json(429, { code: 20429 }, { 'retry-after': '3' }), refused(failure('twilio_20429', { retryAfterMs: 3_000 }))],
    [json(503, {}), lost(failure('twilio_503'))],
    [json(307, {}, { location: '/elsewhere' }), refused(failure('twilio_307', { isPermanent: true }))],
    [json(201, { sid: 'a'.repeat(70_000) }), lost(failure('twilio_invalid_answer'))],
  ])('says what each answer means (%#)', async (answer, expected) => {
    twilio.answer(answer);
    expect(await (await twilioWith()).send(TO, 'a', ID)).toEqual(expected);
    expect(twilio.requests.length).toBe(1);
  });

  it('hears a date in Retry-After, and that no server answers', async () => {
    const at = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 60_000);
    twilio.answer(json(429, {}, { 'retry-after': at.toUTCString() }));
    const client = await twilioWith();
    const { retryAfterMs } = (await client.send(TO, 'a', ID)) as { retryAfterMs: number };
    expect(retryAfterMs).toBeGreaterThan(50_000);
    expect(retryAfterMs).toBeLessThanOrEqual(61_000);
    twilio.stop();
    expect(await client.send(TO, 'a', ID)).toEqual(lost(failure('twilio_connection_failed')));
  });
});

describe('Without an account, a text message', () => {
  it('goes to the log', async () => {
    expect(await (await clientWith()).send(TO, 'Tür offen', ID)).toEqual({ sent: true, providerId: null });
    expect(log.info).toHaveBeenCalledWith({ smsId: ID, to: TO, text: 'Tür offen' }, 'SMS (no TWILIO_ACCOUNT_SID)');
    expect(twilio.requests).toEqual([]);
  });
});

describe('The target of a message', () => {
  class Targets {
    @IsE164()
    number!: unknown;
    @IsPushKey()
    key!: unknown;
    @IsPushSecret()
    secret!: unknown;
    service!: unknown;
    @IsPushToken()
    token!: unknown;
  }
  const FCM_TOKEN = 'fGcDQ2bTRk2n0P3yT5lqVw:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx';
  const APNS_TOKEN = 'ab'.repeat(32);
  const KEY = 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4';
  const SOUND = {
    number: '+4915112345678',
    key: KEY,
    secret: 'BTBZMqHH6r4Tts7J_aSIgg',
    service: 'fcm',
    token: FCM_TOKEN,
  };
  const read = (values: object): { targets: Targets; faults: string[] } => {
    const targets = plainToInstance(Targets, { ...SOUND, ...values });
    return { targets, faults: validateSync(targets).map(({ property }) => property) };
  };

  it('is read in its one spelling', () => {
    const written = {
      number: '+49 (151) 123-456.78',
      key: `${KEY.replaceAll('-', '+').replaceAll('_', '/')}=`,
      secret: 'BTBZMqHH6r4Tts7J/aSIgg==',
      service: 'apns',
      token: APNS_TOKEN.toUpperCase(),
    };
    expect(read(written)).toEqual({ targets: { ...SOUND, service: 'apns', token: APNS_TOKEN }, faults: [] });
  });

  it.each([
    [
      'number',
      [
        '015112345678',
        '0049151123456',
        '+49 (0)151 1234567',
        '+0151123456',
        '+1234',
        `+${'1'.repeat(16)}`,
        '+49abc1234567',
        '+４９１５１１２３４５６',
        '',
        5,
        null,
      ],
    ],
    [
      'key',
      [KEY.slice(1), `${KEY}AA`, `C${KEY.slice(1)}`, `BH${KEY.slice(2, 40)}${'A'.repeat(47)}`, '!'.repeat(87), '', {}],
    ],
    ['secret', ['BTBZMqHH6r4Tts7J_aSI', 'BTBZMqHH6r4Tts7J_aSIggAA', 'ü'.repeat(22), '']],
    ['token', ['short', 'a b'.repeat(20), 'a'.repeat(1_025), `${FCM_TOKEN}\n`, ['a']], 'fcm'],
    [
      'token',
      ['ab'.repeat(31), 'a'.repeat(65), 'xy'.repeat(32), 'ab'.repeat(101), `${APNS_TOKEN}/`, FCM_TOKEN],
      'apns',
    ],
  ])('of another form is refused: %s', (name, values, service = 'fcm') => {
    const taken = values.filter((value) => !read({ [name]: value, service }).faults.includes(name));
    expect(taken).toEqual([]);
  });
});
