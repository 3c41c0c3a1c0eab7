import { duration, integer, key256, oneOf, setOf, type Setting, text, url } from './settings.js';

export const ROLES = ['api', 'hardware', 'worker'] as const;
export type Role = (typeof ROLES)[number];

/** Every environment variable, in the order of `.env.example`. Types, defaults, errors and documentation derive from it. */
export const SETTINGS = {
  environment: {
    variable: 'NODE_ENV',
    description: 'development, test or production.',
    example: 'production',
    parse: oneOf('development', 'test', 'production'),
    fallback: 'development',
  } as Setting<'development' | 'test' | 'production'>,
  roles: {
    variable: 'ROLES',
    description: 'What this process does: any of api, hardware, worker, separated by commas.',
    example: 'api,hardware,worker',
    parse: setOf(...ROLES),
    fallback: ROLES,
  } as Setting<readonly Role[]>,
  host: {
    variable: 'HOST',
    description: 'Address to listen on.',
    example: '0.0.0.0',
    parse: text,
    fallback: '127.0.0.1',
  } as Setting<string>,
  port: {
    variable: 'PORT',
    description: 'HTTP port.',
    example: '3000',
    parse: integer(0, 65_535),
    fallback: 3000,
  } as Setting<number>,
  publicUrl: {
    variable: 'PUBLIC_URL',
    description: 'Where clients reach the API; the issuer of access tokens.',
    example: 'https://doors.example.com',
    parse: url('http', 'https'),
    fallback: 'http://localhost:3000',
  } as Setting<string>,
  databaseUrl: {
    variable: 'DATABASE_URL',
    description: 'PostgreSQL 16 or newer: the only system of record.',
    example: 'postgresql://mortise:secret@localhost:5432/mortise',
    secret: true,
    parse: url('postgres', 'postgresql'),
  } as Setting<string>,
  databasePoolSize: {
    variable: 'DATABASE_POOL_SIZE',
    description: 'Connections to PostgreSQL per process.',
    example: '20',
    parse: integer(2, 500),
    fallback: 20,
  } as Setting<number>,
  redisUrl: {
    variable: 'REDIS_URL',
    description: 'Redis 7 or newer, or Valkey. It may be wiped at any moment: that costs time, never truth.',
    example: 'redis://localhost:6379',
    secret: true,
    parse: url('redis', 'rediss'),
  } as Setting<string>,
  mqttUrl: {
    variable: 'MQTT_URL',
    description: 'An MQTT broker (mqtt:// or mqtts://). Empty: an embedded broker, which allows one hardware process.',
    example: 'mqtt://localhost:1883',
    parse: (raw: string) => (raw === '' ? null : url('mqtt', 'mqtts')(raw)),
    fallback: null,
  } as Setting<string | null>,
  mqttUsername: {
    variable: 'MQTT_USERNAME',
    description: 'Account of this backend at the external broker.',
    example: 'mortise',
    parse: text,
    fallback: 'mortise',
  } as Setting<string>,
  mqttPassword: {
    variable: 'MQTT_PASSWORD',
    description: 'Password of that account.',
    example: 'secret',
    secret: true,
    parse: text,
    fallback: '',
  } as Setting<string>,
  mqttHost: {
    variable: 'MQTT_HOST',
    description: 'Address the embedded broker listens on.',
    example: '0.0.0.0',
    parse: text,
    fallback: '127.0.0.1',
  } as Setting<string>,
  mqttPort: {
    variable: 'MQTT_PORT',
    description: 'Port of the embedded broker.',
    example: '1883',
    parse: integer(0, 65_535),
    fallback: 1883,
  } as Setting<number>,
  masterKey: {
    variable: 'MASTER_KEY',
    description:
      '32 bytes in base64. Seals private keys at rest and derives refresh tokens; losing it signs everybody out.',
    example: 'openssl rand -base64 32',
    secret: true,
    parse: key256,
  } as Setting<Buffer>,
  accessTokenTtlMs: {
    variable: 'JWT_ACCESS_EXPIRY',
    description: 'Life of an access token.',
    example: '15m',
    parse: duration,
    fallback: 900_000,
  } as Setting<number>,
  refreshTokenTtlMs: {
    variable: 'JWT_REFRESH_EXPIRY',
    description: 'Life of a refresh token.',
    example: '7d',
    parse: duration,
    fallback: 604_800_000,
  } as Setting<number>,
  logLevel: {
    variable: 'LOG_LEVEL',
    description: 'trace, debug, info, warn, error or silent.',
    example: 'info',
    parse: oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent'),
    fallback: 'info',
  } as Setting<'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'>,
  metricsToken: {
    variable: 'METRICS_TOKEN',
    description: 'Bearer token for /metrics. Unset: only loopback may read it.',
    example: 'a-long-random-token',
    secret: true,
    parse: text,
    fallback: null,
  } as Setting<string | null>,
  drainTimeoutMs: {
    variable: 'DRAIN_TIMEOUT',
    description: 'How long a stopping process waits for requests under way.',
    example: '10s',
    parse: duration,
    fallback: 10_000,
  } as Setting<number>,
};

export type Settings = { [K in keyof typeof SETTINGS]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never };
