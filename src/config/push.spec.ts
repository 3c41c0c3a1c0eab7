import { createECDH, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ConfigurationError, loadConfig } from './load-config.js';

const REQUIRED = {
  NODE_ENV: 'test',
  DATABASE_URL: 'postgresql://mortise@localhost/mortise',
  REDIS_URL: 'redis://localhost',
  MASTER_KEY: Buffer.alloc(32).toString('base64'),
};
const ecdh = createECDH('prime256v1');
ecdh.generateKeys();
const VAPID = { VAPID_PRIVATE_KEY: ecdh.getPrivateKey('base64url'), VAPID_SUBJECT: 'mailto:ops@example.com' };
const p8 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();
const APNS = {
  APNS_PRIVATE_KEY: p8,
  APNS_KEY_ID: 'ABC123DEFG',
  APNS_TEAM_ID: 'DEF123GHIJ',
  APNS_TOPIC: 'com.example.doors',
};
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();
const SERVICE_ACCOUNT = {
  type: 'service_account',
  project_id: 'doors-1',
  private_key_id: 'b5d7',
  private_key: rsa,
  client_email: 'push@doors-1.iam.gserviceaccount.com',
  token_uri: 'https://oauth2.googleapis.com/token',
};
const TWILIO = {
  TWILIO_ACCOUNT_SID: 'AC0123456789abcdef0123456789abcdef',
  TWILIO_AUTH_TOKEN: 'hunter2-of-twilio',
  TWILIO_FROM: '+15005550006',
};
const ALL = { ...REQUIRED, ...VAPID, ...APNS, ...TWILIO, FCM_SERVICE_ACCOUNT: JSON.stringify(SERVICE_ACCOUNT) };

const folder = mkdtempSync(join(tmpdir(), 'mortise-push-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig({ ...REQUIRED, ...env });
  } catch (error) {
    return error instanceof ConfigurationError ? error.problems : [String(error)];
  }
  return [];
}

describe('Services that messages are sent by', () => {
  it('are none without settings', () => {
    const { push, sms } = loadConfig(REQUIRED);
    expect([push, sms.twilio]).toEqual([{ vapid: null, fcm: null, apns: null }, null]);
    expect(sms).toMatchObject({ isSetUp: true, budget: { ofAll: 1_000, perPerson: 100 } });
  });

  it('have what their settings say, and the public half of the key of Web Push', () => {
    const { push, sms } = loadConfig(ALL);
    expect(push.vapid).toMatchObject({ subject: 'mailto:ops@example.com', publicKey: ecdh.getPublicKey('base64url') });
    expect(push.apns).toMatchObject({ url: 'https://api.push.apple.com', topic: 'com.example.doors' });
    expect(push.fcm?.serviceAccount()).toMatchObject({ projectId: 'doors-1', tokenUrl: SERVICE_ACCOUNT.token_uri });
    expect(sms.twilio).toMatchObject({ url: 'https://api.twilio.com', from: '+15005550006', statusCallback: null });
  });

  it('show no secret when the configuration is printed', () => {
    const config = loadConfig(ALL);
    const printed = [JSON.stringify(config), inspect(config, { depth: null })].join('\n');
    const secrets = [VAPID.VAPID_PRIVATE_KEY, TWILIO.TWILIO_AUTH_TOKEN, p8.slice(40, 80), rsa.slice(40, 80)];
    expect(secrets.filter((secret) => printed.includes(secret))).toEqual([]);
  });

  it('take the files of Google and Apple as they are, and their keys in one line', () => {
    const [google, apple] = [join(folder, 'google.json'), join(folder, 'AuthKey.p8')];
    writeFileSync(google, `${JSON.stringify(SERVICE_ACCOUNT, null, 2)}\n`);
    writeFileSync(apple, p8);
    const apns = { ...APNS, APNS_PRIVATE_KEY: '', APNS_PRIVATE_KEY_FILE: apple };
    const files = { ...REQUIRED, ...apns, FCM_SERVICE_ACCOUNT_FILE: google };
    const { push } = loadConfig(files);
    expect(push.fcm?.serviceAccount().projectId).toBe('doors-1');
    const line = p8.replaceAll(/-----.*-----|\n/g, '');
    for (const text of [line, p8.replaceAll('\n', String.raw`\n`)]) {
      const other = loadConfig({ ...REQUIRED, ...APNS, APNS_PRIVATE_KEY: text }).push;
      expect(push.apns?.privateKey().equals(other.apns!.privateKey())).toBe(true);
    }
  });

  it.each([
    ['VAPID_PRIVATE_KEY', 'A'.repeat(43), 'must be 32 bytes'],
    ['VAPID_PRIVATE_KEY', 'secret', 'must be 32 bytes'],
    ['APNS_PRIVATE_KEY', rsa, 'must be a private key of P-256'],
    ['APNS_PRIVATE_KEY', 'secret', 'must be a private key of P-256'],
    ['FCM_SERVICE_ACCOUNT', '{"secret"', 'must be the JSON of a service account'],
    ['FCM_SERVICE_ACCOUNT', JSON.stringify({ ...SERVICE_ACCOUNT, private_key: p8 }), 'must be the JSON'],
    [
      'FCM_SERVICE_ACCOUNT',
      JSON.stringify({ ...SERVICE_ACCOUNT, token_uri: 'http://example.com/' }),
      'must be the JSON',
    ],
  ])('are refused with a wrong %s, which is not shown', (name, value, problem) => {
    expect(problemsOf({ ...VAPID, ...APNS, [name]: value })).toEqual([
      expect.stringMatching(`^${name}=\\[redacted\\] ${problem}`),
    ]);
  });

  it.each([
    ['VAPID_SUBJECT', 'ops@example.com'],
    ['APNS_KEY_ID', 'abc'],
    ['APNS_TOPIC', 'a b'],
    ['APNS_URL', 'http://api.push.apple.com'],
    ['FCM_URL', 'https://fcm.googleapis.com/?key=1'],
    ['TWILIO_ACCOUNT_SID', 'AC1'],
    ['TWILIO_FROM', '015112345678'],
    ['TWILIO_STATUS_CALLBACK', 'http://doors.example.com'],
  ])('are refused with %s=%s', (name, value) => {
    expect(problemsOf({ ...VAPID, ...APNS, ...TWILIO, [name]: value })).toEqual([expect.stringMatching(`^${name}="`)]);
  });

  it('are set up as a whole', () => {
    expect(problemsOf({ VAPID_SUBJECT: VAPID.VAPID_SUBJECT, APNS_KEY_ID: 'ABC123DEFG', TWILIO_FROM: 'Doors' })).toEqual(
      [
        'A service is set up in part: VAPID_PRIVATE_KEY, APNS_PRIVATE_KEY, APNS_TEAM_ID, APNS_TOPIC, TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN must be set, too.',
      ],
    );
  });
});
