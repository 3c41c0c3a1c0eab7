import { type Settings } from './schema.js';
import type { RateLimit } from './rate-limit.js';

/** Configuration by subject: frozen, typed, validated. Durations are in milliseconds. */
export class AppConfig {
  readonly environment: Settings['environment'];
  readonly roles: Settings['roles'];
  readonly logLevel: Settings['logLevel'];
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly publicUrl: string;
    readonly drainTimeoutMs: number;
    /** CIDR ranges. */
    readonly trustedProxies: readonly string[];
    readonly corsOrigins: readonly string[];
  };
  /** What the environment sets, by category, before `rateLimitScale` multiplies it. Checked against the categories at boot. */
  readonly rateLimitOverrides: Readonly<Record<string, RateLimit>>;
  readonly rateLimitScale: number;
  /** `after` refusals in a row an address is blocked; 0 is never. */
  readonly addressBlock: { readonly after: number; readonly durationMs: number };
  readonly database: { readonly url: string; readonly poolSize: number };
  readonly redis: { readonly url: string };
  /** `brokerUrl` is null with the embedded broker. */
  readonly mqtt: {
    readonly brokerUrl: string | null;
    readonly username: string;
    readonly password: string;
    readonly host: string;
    readonly port: number;
  };
  readonly tokens: {
    readonly algorithm: Settings['tokenAlgorithm'];
    readonly accessTtlMs: number;
    readonly refreshTtlMs: number;
    readonly rememberTtlMs: number;
  };
  readonly sessions: { readonly maxPerUser: number };
  readonly keys: { readonly rotationIntervalMs: number };
  readonly registration: Settings['registration'];
  /** `maxAgeMs` is null where passwords do not expire. `oneTimeLifeMs`: of one that an administrator's reset gave. */
  readonly passwords: { readonly maxAgeMs: number | null; readonly oneTimeLifeMs: number };
  readonly mail: {
    readonly from: string;
    readonly logLinks: boolean;
    /** Holds a password, so it is no member that a log could print. Null: mail goes to the log. */
    readonly smtpUrl: () => string | null;
  };
  readonly metrics: { readonly token: string | null };
  readonly #masterKey: Buffer;

  constructor(settings: Settings, rateLimitOverrides: Readonly<Record<string, RateLimit>>) {
    this.environment = settings.environment;
    this.roles = Object.freeze([...settings.roles]);
    this.logLevel = settings.logLevel;
    this.http = Object.freeze({
      host: settings.host,
      port: settings.port,
      publicUrl: settings.publicUrl,
      drainTimeoutMs: settings.drainTimeoutMs,
      trustedProxies: Object.freeze([...settings.trustedProxies]),
      corsOrigins: Object.freeze([...settings.corsOrigins]),
    });
    this.rateLimitOverrides = rateLimitOverrides;
    this.rateLimitScale = settings.rateLimitScale;
    this.addressBlock = Object.freeze({ after: settings.addressBlockAfter, durationMs: settings.addressBlockMs });
    this.database = Object.freeze({ url: settings.databaseUrl, poolSize: settings.databasePoolSize });
    this.redis = Object.freeze({ url: settings.redisUrl });
    this.mqtt = Object.freeze({
      brokerUrl: settings.mqttUrl,
      username: settings.mqttUsername,
      password: settings.mqttPassword,
      host: settings.mqttHost,
      port: settings.mqttPort,
    });
    this.tokens = Object.freeze({
      algorithm: settings.tokenAlgorithm,
      accessTtlMs: settings.accessTokenTtlMs,
      refreshTtlMs: settings.refreshTokenTtlMs,
      rememberTtlMs: settings.rememberTokenTtlMs,
    });
    this.sessions = Object.freeze({ maxPerUser: settings.maxSessionsPerUser });
    this.keys = Object.freeze({ rotationIntervalMs: settings.keyRotationMs });
    this.registration = settings.registration;
    this.passwords = Object.freeze({
      maxAgeMs: settings.passwordMaxAgeMs,
      oneTimeLifeMs: settings.oneTimePasswordTtlMs,
    });
    this.mail = Object.freeze({
      from: settings.mailFrom,
      logLinks: settings.mailLogLinks,
      smtpUrl: () => settings.smtpUrl,
    });
    this.metrics = Object.freeze({ token: settings.metricsToken });
    this.#masterKey = settings.masterKey;
    Object.freeze(this);
  }

  /** A private member, so that no log or error that prints the configuration can show it. */
  masterKey(): Buffer {
    return this.#masterKey;
  }
}
