import { type Settings } from './schema.js';

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
  };
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
  readonly tokens: { readonly accessTtlMs: number; readonly refreshTtlMs: number };
  readonly metrics: { readonly token: string | null };
  readonly #masterKey: Buffer;

  constructor(settings: Settings) {
    this.environment = settings.environment;
    this.roles = Object.freeze([...settings.roles]);
    this.logLevel = settings.logLevel;
    this.http = Object.freeze({
      host: settings.host,
      port: settings.port,
      publicUrl: settings.publicUrl,
      drainTimeoutMs: settings.drainTimeoutMs,
    });
    this.database = Object.freeze({ url: settings.databaseUrl, poolSize: settings.databasePoolSize });
    this.redis = Object.freeze({ url: settings.redisUrl });
    this.mqtt = Object.freeze({
      brokerUrl: settings.mqttUrl,
      username: settings.mqttUsername,
      password: settings.mqttPassword,
      host: settings.mqttHost,
      port: settings.mqttPort,
    });
    this.tokens = Object.freeze({ accessTtlMs: settings.accessTokenTtlMs, refreshTtlMs: settings.refreshTokenTtlMs });
    this.metrics = Object.freeze({ token: settings.metricsToken });
    this.#masterKey = settings.masterKey;
    Object.freeze(this);
  }

  /** A private member, so that no log or error that prints the configuration can show it. */
  masterKey(): Buffer {
    return this.#masterKey;
  }
}
