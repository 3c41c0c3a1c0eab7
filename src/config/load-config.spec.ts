import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ROOT_FOLDER } from './build.js';
import { ConfigurationError, loadConfig } from './load-config.js';

const MASTER_KEY = Buffer.alloc(32, 7).toString('base64');
const REQUIRED = {
  DATABASE_URL: 'postgresql://mortise:hunter2@localhost/mortise',
  REDIS_URL: 'redis://localhost:6379',
  MASTER_KEY,
};

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    return error instanceof ConfigurationError ? error.problems : [String(error)];
  }
  return [];
}

describe('loadConfig', () => {
  it('needs three settings and has a default for every other', () => {
    const config = loadConfig(REQUIRED);
    expect(config.roles).toEqual(['api', 'hardware', 'worker']);
    expect(config.http).toMatchObject({ host: '127.0.0.1', port: 3000 });
    expect(config.mqtt.brokerUrl).toBeNull();
    expect(config.tokens).toEqual({
      algorithm: 'RS256',
      accessTtlMs: 900_000,
      refreshTtlMs: 604_800_000,
      rememberTtlMs: 2_592_000_000,
    });
    expect(config.masterKey()).toHaveLength(32);
    expect(config.cacheTtlMs).toEqual({ devices: 1_800_000, users: 900_000, analytics: 300_000, live: 30_000 });
  });

  it('lists all problems at once, each with what would be right', () => {
    const problems = problemsOf({
      PORT: '70000',
      ROLES: 'api,kitchen',
      JWT_ACCESS_EXPIRY: 'soon',
      MASTER_KEY: 'short',
    });
    expect(problems).toHaveLength(6);
    expect(problems.join('\n')).toMatch(/PORT="70000" must be a whole number from 0 to 65535/);
    expect(problems.join('\n')).toMatch(/ROLES="api,kitchen" must be one of api, hardware, worker/);
    expect(problems.join('\n')).toMatch(/JWT_ACCESS_EXPIRY="soon" must be a duration such as 900, 15m, 7d/);
    expect(problems.join('\n')).toMatch(/DATABASE_URL is missing.*postgresql:\/\//);
  });

  it('lists what contradicts each other beside what is wrong by itself, and what is wrong twice once', () => {
    const zeros = Buffer.alloc(32).toString('base64');
    const contradicting = { MASTER_KEY: zeros, NODE_ENV: 'production', MAIL_LOG_LINKS: '1' };
    const problems = problemsOf({ ...REQUIRED, ...contradicting, PORT: 'x', ROLES: 'kitchen,attic' });
    expect(problems.map((problem) => problem.split('=')[0])).toEqual(['ROLES', 'PORT', 'MASTER_KEY', 'MAIL_LOG_LINKS']);
  });

  it('takes a variable that is empty for one that is not set', () => {
    expect(loadConfig({ ...REQUIRED, PORT: '', SMTP_URL: '' }).http.port).toBe(3000);
    expect(problemsOf({ ...REQUIRED, MASTER_KEY: '' })).toEqual([expect.stringMatching(/^MASTER_KEY is missing/)]);
  });

  it('never repeats a secret, not even a wrong one', () => {
    const problems = problemsOf({
      ...REQUIRED,
      DATABASE_URL: 'mysql://root:hunter2@localhost',
      MASTER_KEY: 'c2VjcmV0',
    });
    expect(problems).toHaveLength(2);
    expect(problems.join('\n')).not.toMatch(/hunter2|c2VjcmV0/);
    expect(problems.join('\n')).toContain('[redacted]');
  });

  it('shows no master key when the configuration is printed', () => {
    expect(JSON.stringify(loadConfig(REQUIRED))).not.toContain(MASTER_KEY);
  });

  it('cannot be changed after boot', () => {
    const config = loadConfig(REQUIRED);
    expect(() => Object.assign(config.http, { port: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config, { environment: 'test' })).toThrow(TypeError);
  });

  it.each([
    ['900', 900_000],
    ['250ms', 250],
    ['15m', 900_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
  ])('reads the duration %s as %d milliseconds', (text, expected) => {
    expect(loadConfig({ ...REQUIRED, JWT_REFRESH_EXPIRY: text }).tokens.refreshTtlMs).toBe(expected);
  });

  it.each([
    ['JWT_ACCESS_EXPIRY', '59s', 'at least 1m and at most 24h'],
    ['JWT_ACCESS_EXPIRY', '25h', 'at least 1m and at most 24h'],
    ['KEY_ROTATION_INTERVAL', '0', 'at least 1h'],
    ['KEY_ROTATION_INTERVAL', '59m', 'at least 1h'],
    ['PASSWORD_MAX_AGE', '0d', 'at least 1d'],
  ])('does not boot with %s=%s', (variable, text, bounds) => {
    expect(problemsOf({ ...REQUIRED, [variable]: text })).toEqual([
      `${variable}="${text}" must be a duration of ${bounds}.`,
    ]);
  });

  it('keeps what it was told to keep, and refuses a time that a promise needs longer', () => {
    const day = 86_400_000;
    expect(loadConfig({ ...REQUIRED, RETENTION_COMMANDS: '3d' }).retention).toEqual({
      eventsMs: 90 * day,
      rollupsMs: 730 * day,
      commandsMs: 3 * day,
      sessionsMs: 30 * day,
      deletedUsersMs: 90 * day,
      keysMs: 365 * day,
      credentialsMs: 90 * day,
    });
    expect(problemsOf({ ...REQUIRED, RETENTION_COMMANDS: '71h' })).toEqual([
      'RETENTION_COMMANDS="71h" must be a duration of at least 3d and at most 36500d.',
    ]);
    // Beyond the years that PostgreSQL can name, no purge would run.
    expect(problemsOf({ ...REQUIRED, RETENTION_SESSIONS: '36501d' })).toHaveLength(1);
    expect(problemsOf({ ...REQUIRED, RETENTION_EVENTS: '800d' })).toEqual([
      expect.stringMatching(/^RETENTION_ROLLUPS must not be shorter than RETENTION_EVENTS/),
    ]);
    expect(problemsOf({ ...REQUIRED, RETENTION_EVENTS: '800d', RETENTION_ROLLUPS: '800d' })).toEqual([]);
  });

  it('stores files in a folder beside package.json, or where it was told', () => {
    expect(loadConfig(REQUIRED).storage).toEqual({ path: join(ROOT_FOLDER, '.mortise', 'files'), s3: null });
    expect(loadConfig({ ...REQUIRED, STORAGE_PATH: '/var/files' }).storage.path).toBe('/var/files');
  });

  it('stores files at S3 when it has all that S3 needs, and says what is missing', () => {
    const s3 = { ...REQUIRED, STORAGE_DRIVER: 's3', STORAGE_S3_BUCKET: 'doors' };
    expect(problemsOf({ ...s3, PORT: 'x' })).toEqual([
      expect.stringMatching(/^PORT=/),
      'STORAGE_DRIVER=s3 needs STORAGE_S3_ACCESS_KEY_ID, STORAGE_S3_SECRET_ACCESS_KEY, too.',
    ]);
    const keys = { STORAGE_S3_ACCESS_KEY_ID: 'id', STORAGE_S3_SECRET_ACCESS_KEY: 'hunter2' };
    const { storage } = loadConfig({ ...s3, ...keys });
    expect(storage.s3).toMatchObject({ endpoint: null, region: 'us-east-1', pathStyle: false, links: false });
    expect(storage.s3?.secretAccessKey()).toBe('hunter2');
    expect(JSON.stringify(storage)).not.toContain('hunter2');
    const own = { STORAGE_S3_ENDPOINT: 'http://s3.example.com', STORAGE_S3_LINKS: '1' };
    expect(loadConfig({ ...s3, ...keys, ...own }).storage.s3).toMatchObject({ pathStyle: true, links: true });
  });

  it('takes the bounds themselves', () => {
    const bounds = { JWT_ACCESS_EXPIRY: '24h', KEY_ROTATION_INTERVAL: '1h', PASSWORD_MAX_AGE: '1d' };
    expect(problemsOf({ ...REQUIRED, ...bounds })).toEqual([]);
    expect(problemsOf({ ...REQUIRED, JWT_ACCESS_EXPIRY: '1m' })).toEqual([]);
  });

  it.each([
    ['7168', '5'],
    ['9216', '4'],
    ['12288', '3'],
    ['19456', '2'],
    ['47104', '1'],
    ['65536', '3'],
  ])('hashes passwords with %s KiB and %s passes', (memory, passes) => {
    const { hash } = loadConfig({ ...REQUIRED, ARGON2_MEMORY: memory, ARGON2_PASSES: passes }).passwords;
    expect(hash).toEqual({ memoryKib: Number(memory), passes: Number(passes) });
  });

  it.each([
    ['7168', '4'],
    ['19455', '2'],
    ['47103', '1'],
    ['19456', '1'],
  ])('refuses to hash passwords with %s KiB and %s passes: OWASP wants more', (memory, passes) => {
    expect(problemsOf({ ...REQUIRED, ARGON2_MEMORY: memory, ARGON2_PASSES: passes })).toEqual([
      expect.stringMatching(/^ARGON2_MEMORY and ARGON2_PASSES must not be weaker .* 47104 with 1, 19456 with 2/),
    ]);
  });

  it('takes a master key of zeros in tests alone', () => {
    const zeros = { ...REQUIRED, MASTER_KEY: Buffer.alloc(32).toString('base64') };
    expect(problemsOf({ ...zeros, NODE_ENV: 'test' })).toEqual([]);
    for (const env of [zeros, { ...zeros, NODE_ENV: 'production' }]) {
      expect(problemsOf(env)).toEqual([expect.stringMatching(/^MASTER_KEY=\[redacted\] must not be all zeros/)]);
    }
  });

  it('shows no links of mails in production', () => {
    const links = { ...REQUIRED, MAIL_LOG_LINKS: '1' };
    expect(problemsOf(links)).toEqual([]);
    expect(problemsOf({ ...links, NODE_ENV: 'production' })).toEqual([expect.stringContaining('MAIL_LOG_LINKS=1')]);
  });

  it('takes a role once, however often it is named', () => {
    expect(loadConfig({ ...REQUIRED, ROLES: 'api, worker,api' }).roles).toEqual(['api', 'worker']);
  });

  it('uses an external broker only when one is named', () => {
    expect(loadConfig({ ...REQUIRED, MQTT_URL: '' }).mqtt.brokerUrl).toBeNull();
    expect(loadConfig({ ...REQUIRED, MQTT_URL: 'mqtts://broker.example:8883' }).mqtt.brokerUrl).toBe(
      'mqtts://broker.example:8883',
    );
    expect(problemsOf({ ...REQUIRED, MQTT_URL: 'http://broker' })[0]).toMatch(/mqtt:\/\/ or mqtts:\/\//);
  });

  it('reads the limit of any category, known here or not', () => {
    const limits = { RATE_LIMIT_ACCESS_CODES: '3/1m', RATE_LIMIT_USER: '9/2m+1', RATE_LIMIT_AUTH: '' };
    const { rateLimitOverrides, rateLimitScale } = loadConfig({ ...REQUIRED, ...limits, RATE_LIMIT_SCALE: '2' });
    expect(rateLimitOverrides).toEqual({
      access_codes: { limit: 3, windowMs: 60_000, burst: 0 },
      user: { limit: 9, windowMs: 120_000, burst: 1 },
    });
    expect(rateLimitScale).toBe(2);
    expect(() => Object.assign(rateLimitOverrides, { user: null })).toThrow(TypeError);
    expect(problemsOf({ ...REQUIRED, RATE_LIMIT_ACCESS_CODES: 'few' })).toEqual([
      expect.stringMatching(/^RATE_LIMIT_ACCESS_CODES="few" must be a number of requests/),
    ]);
  });

  it('reads the limit of any category, known here or not', () => {
    const limits = { RATE_LIMIT_ACCESS_CODES: '3/1m', RATE_LIMIT_USER: '9/2m+1', RATE_LIMIT_AUTH: '' };
    const { rateLimitOverrides, rateLimitScale } = loadConfig({ ...REQUIRED, ...limits, RATE_LIMIT_SCALE: '2' });
    expect(rateLimitOverrides).toEqual({
      access_codes: { limit: 3, windowMs: 60_000, burst: 0 },
      user: { limit: 9, windowMs: 120_000, burst: 1 },
    });
    expect(rateLimitScale).toBe(2);
    expect(() => Object.assign(rateLimitOverrides, { user: null })).toThrow(TypeError);
    expect(problemsOf({ ...REQUIRED, RATE_LIMIT_ACCESS_CODES: 'few' })).toEqual([
      expect.stringMatching(/^RATE_LIMIT_ACCESS_CODES="few" must be a number of requests/),
    ]);
  });

  it.each([['5'], ['0/1m'], ['5/0s'], ['5/minute'], ['5/1m+'], ['-5/1m'], ['5/500ms']])(
    'refuses %p as a rate limit',
    (text) => {
      expect(problemsOf({ ...REQUIRED, RATE_LIMIT_USER: text })).toHaveLength(1);
    },
  );

  it.each([['0'], ['-1'], ['much'], [' '], ['Infinity']])('refuses to multiply the rate limits by %p', (text) => {
    expect(problemsOf({ ...REQUIRED, RATE_LIMIT_SCALE: text })).toHaveLength(1);
  });

  it('believes only proxies whose addresses are given with their prefix', () => {
    expect(loadConfig(REQUIRED).http.trustedProxies).toEqual([]);
    const text = '10.0.0.0/8, 192.0.2.7/32,fd00::/8';
    expect(loadConfig({ ...REQUIRED, TRUSTED_PROXIES: text }).http.trustedProxies).toEqual([
      '10.0.0.0/8',
      '192.0.2.7/32',
      'fd00::/8',
    ]);
  });

  it.each([
    ['true'],
    ['1'],
    ['*'],
    ['loopback'],
    ['uniquelocal'],
    ['proxy.example.com'],
    ['10.0.0.1'],
    ['0.0.0.0/0'],
    ['::/0'],
    ['0.0.0.0/1'],
    ['128.0.0.0/1'],
    ['8.0.0.0/7'],
    ['::/1'],
    ['8000::/1'],
    ['2000::/3'],
    ['::ffff:0:0/96'],
    ['::ffff:0.0.0.0/97'],
    ['0:0:0:0:0:ffff::/96'],
    ['10.0.0.0/33'],
    ['10.0.0.0/255.0.0.0'],
    ['10.0.0.0/08'],
    ['fe80::%eth0/64'],
    ['10.0.0.0/8/8'],
  ])('does not boot with %p as a trusted proxy', (text) => {
    expect(problemsOf({ ...REQUIRED, TRUSTED_PROXIES: `192.0.2.0/24,${text}` })[0]).toMatch(/TRUSTED_PROXIES.*prefix/);
  });

  it('takes exact origins for CORS', () => {
    const text = 'https://app.example.com, http://localhost:5173, http://[::1]:*';
    expect(loadConfig({ ...REQUIRED, CORS_ORIGINS: text }).http.corsOrigins).toEqual([
      'https://app.example.com',
      'http://localhost:5173',
      'http://[::1]:*',
    ]);
    expect(loadConfig({ ...REQUIRED, NODE_ENV: 'production' }).http.corsOrigins).toEqual([]);
  });

  it.each([
    ['*'],
    ['null'],
    ['app.example.com'],
    ['https://app.example.com/'],
    ['https://app.example.com:*'],
    ['https://*.example.com'],
    ['http://localhost.example.com:*'],
    ['file://'],
  ])('does not boot with %p as an origin', (text) => {
    expect(problemsOf({ ...REQUIRED, CORS_ORIGINS: text })[0]).toMatch(/CORS_ORIGINS.*wildcard/);
  });
});
