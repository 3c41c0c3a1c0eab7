import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ConfigurationError, environmentWithSecrets, loadConfig } from './load-config.js';

const SECRET = 'hunter2-of-the-database';
const DATABASE_URL = `postgresql://mortise:${SECRET}@localhost/mortise`;
const KEY = Buffer.alloc(32, 7);
const REQUIRED = { DATABASE_URL, REDIS_URL: 'redis://localhost:6379', MASTER_KEY: KEY.toString('base64') };

const folder = mkdtempSync(join(tmpdir(), 'mortise-secrets-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function fileWith(content: string): string {
  const path = join(folder, `${String(Math.random())}.secret`);
  writeFileSync(path, content);
  return path;
}

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    return error instanceof ConfigurationError ? error.problems : [String(error)];
  }
  return [];
}

/** The three settings, with the address of the database from where `path` leads. */
const withDatabaseFrom = (path: string): Record<string, string> => ({
  REDIS_URL: REQUIRED.REDIS_URL,
  MASTER_KEY: REQUIRED.MASTER_KEY,
  DATABASE_URL_FILE: path,
});

describe('Secrets in files', () => {
  it('are taken for each setting that is marked as one, without the end of the line', () => {
    const config = loadConfig({
      DATABASE_URL_FILE: fileWith(`${DATABASE_URL}\n`),
      REDIS_URL_FILE: fileWith('redis://:r@localhost\r\n'),
      MASTER_KEY_FILE: fileWith(`${REQUIRED.MASTER_KEY}\n\n`),
      MQTT_URL_FILE: fileWith('mqtts://broker.example'),
      MQTT_PASSWORD_FILE: fileWith(' with spaces '),
      SMTP_URL_FILE: fileWith('smtps://ada:pw@mail.example'),
      METRICS_TOKEN_FILE: fileWith('a-token\n'),
    });
    expect([config.database.url, config.redis.url, config.mqtt.brokerUrl, config.mqtt.password]).toEqual([
      DATABASE_URL,
      'redis://:r@localhost',
      'mqtts://broker.example',
      ' with spaces ',
    ]);
    expect([config.mail.smtpUrl(), config.metrics.token]).toEqual(['smtps://ada:pw@mail.example', 'a-token']);
    expect(config.masterKey()).toEqual(KEY);
  });

  it('are refused beside the variable itself', () => {
    expect(problemsOf({ ...REQUIRED, DATABASE_URL_FILE: fileWith(DATABASE_URL) })).toEqual([
      'DATABASE_URL and DATABASE_URL_FILE are both set: set one of them.',
    ]);
    expect(problemsOf({ ...REQUIRED, DATABASE_URL: '', DATABASE_URL_FILE: fileWith(DATABASE_URL) })).toEqual([]);
  });

  it.each([
    ['is missing', () => join(folder, 'nowhere'), 'the file that it names does not exist'],
    ['is empty', () => fileWith(''), 'the file that it names is empty'],
    ['holds the end of a line alone', () => fileWith('\n'), 'the file that it names is empty'],
    ['has two lines', () => fileWith(`${DATABASE_URL}\n${SECRET}\n`), 'the file that it names has more than one line'],
    ['is a folder', () => folder, 'what it names is no file with a secret'],
    ['would not end', () => '/dev/zero', 'what it names is no file with a secret'],
    ['is no path', () => `${SECRET}\0`, 'the file that it names cannot be read (ERR_INVALID_ARG_VALUE)'],
    ['is behind a file', () => join(fileWith('x'), 'y'), 'the file that it names cannot be read (ENOTDIR)'],
    ['is the secret itself', () => DATABASE_URL, 'the file that it names does not exist'],
  ])('say in one line that the file %s', (_case, path, problem) => {
    expect(problemsOf(withDatabaseFrom(path()))).toEqual([`DATABASE_URL_FILE: ${problem}.`]);
  });

  it('never show what the file holds', () => {
    const problems = problemsOf(withDatabaseFrom(fileWith(`mysql://root:${SECRET}@localhost`)));
    expect(problems).toEqual([expect.stringMatching(/^DATABASE_URL=\[redacted\] must be a URL/)]);
  });

  it('are told of where a secret is missing, and nowhere else', () => {
    expect(problemsOf({ ...REQUIRED, MASTER_KEY: '' })).toEqual([
      expect.stringContaining('Or MASTER_KEY_FILE, the path'),
    ]);
    expect(problemsOf({ ...REQUIRED, PORT: 'x', PORT_FILE: fileWith('3000') })).toEqual([
      'PORT="x" must be a whole number from 0 to 65535.',
    ]);
  });

  it('are variables for a command that starts other processes, which do not meet the file again', () => {
    const env = environmentWithSecrets({ HOME: '/', EMPTY: '', DATABASE_URL_FILE: fileWith(`${DATABASE_URL}\n`) });
    expect(env).toEqual({ HOME: '/', DATABASE_URL });
    expect(() => environmentWithSecrets({ DATABASE_URL_FILE: folder })).toThrow(ConfigurationError);
  });
});

describe('Who may make an account where REGISTRATION does not say it', () => {
  it.each([
    [{}, 'open'],
    [{ NODE_ENV: 'production' }, 'closed'],
    [{ NODE_ENV: 'production', REGISTRATION: '' }, 'closed'],
    [{ NODE_ENV: 'production', REGISTRATION: 'verified' }, 'verified'],
    [{ NODE_ENV: 'production', REGISTRATION: 'open' }, 'open'],
  ])('%p: %s', (env, mode) => {
    expect(loadConfig({ ...REQUIRED, ...env }).registration).toBe(mode);
  });
});
