import { VERSION } from './build.js';
import { type CacheCategory, cacheTtlsOf } from './cache.js';
import { concurrencyOf, type QueueConcurrency } from './queues.js';
import { type PushServices, pushServicesOf } from './push.js';
import { type Retention, retentionOf } from './retention.js';
import type { RateLimitPolicy } from './rate-limit.js';
import type { Settings } from './schema.js';
import { type Sms, smsOf } from './sms.js';
import { type Storage, storageOf } from './storage.js';

/** A balancer that asks every two seconds has seen twice that a process is not ready. */
const PRODUCTION_DRAIN_DELAY_MS = 5_000;

/** Configuration by subject: frozen, typed, validated. Durations are in milliseconds. */
export class AppConfig {
  readonly environment: Settings['NODE_ENV'];
  readonly roles: Settings['ROLES'];
  readonly logLevel: Settings['LOG_LEVEL'];
  readonly build: { readonly version: string; readonly commit: string };
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly publicUrl: string;
    /** From the arrival of a request to its answer. */
    readonly requestTimeoutMs: number;
    /** From the signal to stop until the listener closes. */
    readonly drainDelayMs: number;
    readonly drainTimeoutMs: number;
    /** CIDR ranges. */
    readonly trustedProxies: readonly string[];
    /** The one header that is believed, in lower case. */
    readonly forwardedHeader: Settings['FORWARDED_HEADER'];
    readonly corsOrigins: readonly string[];
    readonly contentSecurityPolicy: string;
    /** URIs. */
    readonly securityContacts: readonly string[];
  };
  /** What the environment sets, by category, before `rateLimitScale` multiplies it. Checked against the categories at boot. */
  readonly rateLimitOverrides: Readonly<Record<string, RateLimitPolicy>>;
  readonly rateLimitScale: number;
  /** `after` refusals in a row an address is blocked; 0 is never. */
  readonly addressBlock: { readonly after: number; readonly durationMs: number };
  /** On which no client has signed in. */
  readonly connectionsPerAddress: number;
  /** Already multiplied by `rateLimitScale`. */
  readonly eventsPerDay: { readonly perDevice: number; readonly perOwner: number };
  readonly devices: { readonly maxPerUser: number };
  /** `poolMin`: connections that are kept open; `allowNewer`: than this code. */
  readonly database: {
    readonly url: string;
    readonly poolSize: number;
    readonly poolMin: number;
    readonly allowNewer: boolean;
  };
  readonly redis: { readonly url: string };
  /** `brokerUrl` is null with the embedded broker. */
  readonly mqtt: {
    readonly brokerUrl: string | null;
    readonly username: string;
    readonly password: string;
    /** At the external broker. */
    readonly keepaliveMs: number;
    readonly host: string;
    readonly port: number;
    /** Where devices reach the broker. */
    readonly publicUrl: string;
  };
  readonly tokens: {
    readonly algorithm: Settings['TOKEN_ALGORITHM'];
    readonly accessTtlMs: number;
    readonly refreshTtlMs: number;
    readonly rememberTtlMs: number;
  };
  readonly sessions: { readonly maxPerUser: number };
  readonly organizations: { readonly maxPerPerson: number };
  readonly keys: { readonly rotationIntervalMs: number };
  /** By category; 0 is never. */
  readonly cacheTtlMs: Readonly<Record<CacheCategory, number>>;
  readonly retention: Retention;
  readonly registration: NonNullable<Settings['REGISTRATION']>;
  /** Whether accounts have shown that their e-mail address is theirs: with open registration it may be another person's. */
  readonly provesAddresses: boolean;
  /** `maxAgeMs` is null where passwords do not expire. `oneTimeLifeMs`: of one that an administrator's reset gave. */
  readonly passwords: {
    readonly maxAgeMs: number | null;
    readonly oneTimeLifeMs: number;
    /** Of argon2id. */
    readonly hash: { readonly memoryKib: number; readonly passes: number };
  };
  readonly mail: {
    readonly from: string;
    readonly logLinks: boolean;
    /** Holds a password, so it is no member that a log could print. Null: mail goes to the log. */
    readonly smtpUrl: () => string | null;
    /** SPKI as DER. Null: the provider reports nothing. */
    readonly eventsPublicKey: Buffer | null;
  };
  readonly push: PushServices;
  readonly sms: Sms;
  /** CIDR ranges that are called for users although they are not public. */
  readonly outbound: { readonly allowedNetworks: readonly string[] };
  /** `maxBytes`: of a file. */
  readonly exports: { readonly maxBytes: number };
  /** Jobs that one worker does at once, by queue. */
  readonly concurrency: QueueConcurrency;
  readonly metrics: { readonly token: string | null };
  readonly storage: Storage;
  readonly #masterKey: Buffer;

  constructor(settings: Settings, rateLimitOverrides: Readonly<Record<string, RateLimitPolicy>>) {
    this.environment = settings.NODE_ENV;
    this.roles = Object.freeze([...settings.ROLES]);
    this.logLevel = settings.LOG_LEVEL;
    this.build = Object.freeze({ version: VERSION, commit: settings.BUILD_COMMIT });
    this.http = httpOf(settings);
    this.rateLimitOverrides = rateLimitOverrides;
    this.rateLimitScale = settings.RATE_LIMIT_SCALE;
    this.addressBlock = Object.freeze({
      after: settings.ADDRESS_BLOCK_AFTER,
      durationMs: settings.ADDRESS_BLOCK_DURATION,
    });
    this.connectionsPerAddress = settings.CONNECTIONS_PER_ADDRESS;
    this.eventsPerDay = Object.freeze({
      perDevice: Math.ceil(settings.DEVICE_EVENTS_PER_DAY * settings.RATE_LIMIT_SCALE),
      perOwner: Math.ceil(settings.OWNER_EVENTS_PER_DAY * settings.RATE_LIMIT_SCALE),
    });
    this.devices = Object.freeze({ maxPerUser: settings.MAX_DEVICES_PER_USER });
    this.database = databaseOf(settings);
    this.redis = Object.freeze({ url: settings.REDIS_URL });
    this.mqtt = Object.freeze({
      brokerUrl: settings.MQTT_URL,
      username: settings.MQTT_USERNAME,
      password: settings.MQTT_PASSWORD,
      keepaliveMs: settings.MQTT_KEEPALIVE,
      host: settings.MQTT_HOST,
      port: settings.MQTT_PORT,
      publicUrl: settings.MQTT_PUBLIC_URL ?? brokerAddressOf(settings),
    });
    this.tokens = Object.freeze({
      algorithm: settings.TOKEN_ALGORITHM,
      accessTtlMs: settings.JWT_ACCESS_EXPIRY,
      refreshTtlMs: settings.JWT_REFRESH_EXPIRY,
      rememberTtlMs: settings.JWT_REMEMBER_EXPIRY,
    });
    this.sessions = Object.freeze({ maxPerUser: settings.MAX_SESSIONS_PER_USER });
    this.organizations = Object.freeze({ maxPerPerson: settings.MAX_ORGANIZATIONS_PER_USER });
    this.keys = Object.freeze({ rotationIntervalMs: settings.KEY_ROTATION_INTERVAL });
    this.cacheTtlMs = cacheTtlsOf(settings);
    this.retention = retentionOf(settings);
    // An installation that its operator has not opened lets no stranger in.
    this.registration = settings.REGISTRATION ?? (settings.NODE_ENV === 'production' ? 'closed' : 'open');
    this.provesAddresses = this.registration !== 'open';
    this.passwords = passwordsOf(settings);
    this.mail = Object.freeze({
      from: settings.MAIL_FROM,
      logLinks: settings.MAIL_LOG_LINKS,
      smtpUrl: () => settings.SMTP_URL,
      eventsPublicKey: settings.MAIL_EVENTS_PUBLIC_KEY,
    });
    this.push = pushServicesOf(settings);
    this.sms = smsOf(settings);
    this.outbound = Object.freeze({ allowedNetworks: Object.freeze([...settings.OUTBOUND_ALLOWED_NETWORKS]) });
    this.exports = Object.freeze({ maxBytes: settings.EXPORT_MAX_BYTES });
    this.concurrency = concurrencyOf(settings);
    this.metrics = Object.freeze({ token: settings.METRICS_TOKEN });
    this.storage = storageOf(settings);
    this.#masterKey = settings.MASTER_KEY;
    Object.freeze(this);
  }

  /** A private member, so that no log or error that prints the configuration can show it. */
  masterKey(): Buffer {
    return this.#masterKey;
  }
}

function databaseOf(settings: Settings): AppConfig['database'] {
  return Object.freeze({
    url: settings.DATABASE_URL,
    poolSize: settings.DATABASE_POOL_SIZE,
    poolMin: settings.DATABASE_POOL_MIN,
    allowNewer: settings.ALLOW_NEWER_DATABASE,
  });
}

function passwordsOf(settings: Settings): AppConfig['passwords'] {
  return Object.freeze({
    maxAgeMs: settings.PASSWORD_MAX_AGE,
    oneTimeLifeMs: settings.ONE_TIME_PASSWORD_EXPIRY,
    hash: Object.freeze({ memoryKib: settings.ARGON2_MEMORY, passes: settings.ARGON2_PASSES }),
  });
}

function httpOf(settings: Settings): AppConfig['http'] {
  return Object.freeze({
    host: settings.HOST,
    port: settings.PORT,
    publicUrl: settings.PUBLIC_URL,
    requestTimeoutMs: settings.REQUEST_TIMEOUT,
    drainDelayMs: settings.DRAIN_DELAY ?? (settings.NODE_ENV === 'production' ? PRODUCTION_DRAIN_DELAY_MS : 0),
    drainTimeoutMs: settings.DRAIN_TIMEOUT,
    trustedProxies: Object.freeze([...settings.TRUSTED_PROXIES]),
    forwardedHeader: settings.FORWARDED_HEADER,
    corsOrigins: Object.freeze([...settings.CORS_ORIGINS]),
    contentSecurityPolicy: settings.CONTENT_SECURITY_POLICY,
    securityContacts: Object.freeze([...settings.SECURITY_CONTACT]),
  });
}

/** Without the account of this backend. */
function brokerAddressOf({ MQTT_URL, MQTT_PORT, PUBLIC_URL }: Settings): string {
  const { protocol, host } = MQTT_URL
    ? new URL(MQTT_URL)
    : { protocol: 'mqtt:', host: `${new URL(PUBLIC_URL).hostname}:${String(MQTT_PORT)}` };
  return `${protocol}//${host}`;
}
