import { z } from 'zod';
import { ACCOUNT_SETTINGS, hashesAreStrong, WEAKEST_HASHES } from './accounts.js';
import { CACHE_SETTINGS } from './cache.js';
import { MAIL_EVENTS_SETTINGS } from './mail-events.js';
import { QUEUE_SETTINGS } from './queues.js';
import { PUSH_GROUPS, PUSH_SETTINGS } from './push.js';
import { RETENTION_SETTINGS, rollupsOutlastEvents } from './retention.js';
import { SMS_GROUP, SMS_SETTINGS } from './sms.js';
import { missingForS3, NEEDED_BY_S3, STORAGE_SETTINGS, type StorageSettings } from './storage.js';
import { DEFAULT_CSP } from './content-security-policy.js';
import {
  cidr,
  contentSecurityPolicy,
  DOCS,
  duration,
  durationFrom,
  factor,
  integer,
  key256,
  listOf,
  missingBeside,
  oneOf,
  origin,
  setOf,
  url,
} from './settings.js';

export const ROLES = ['api', 'hardware', 'worker'] as const;
export type Role = (typeof ROLES)[number];

/** Whether these settings are right by themselves, so that they can be judged beside each other. */
function sound(...variables: readonly string[]): (payload: z.core.ParsePayload) => boolean {
  return ({ issues }) => !issues.some(({ path }) => variables.includes(String(path?.[0])));
}

const PROVIDER_GROUPS = [...PUSH_GROUPS, SMS_GROUP] as const;
type ProviderSettings = Readonly<Record<(typeof PROVIDER_GROUPS)[number][number], unknown>>;

function missingInGroups(settings: ProviderSettings): readonly string[] {
  return PROVIDER_GROUPS.flatMap((group) => missingBeside<string>(settings, group));
}

/**
 * Every environment variable but the rate limits, in the order of `.env.example`. Types, defaults, errors and
 * documentation derive from it.
 */
export const SETTINGS = z
  .object({
    NODE_ENV: oneOf('development', 'test', 'production')
      .default('development')
      .register(DOCS, { description: 'development, test or production.', example: 'production' }),
    ROLES: setOf(oneOf(...ROLES))
      .prefault(ROLES.join(','))
      .register(DOCS, {
        description: 'What this process does: any of api, hardware, worker, separated by commas.',
        example: 'api,hardware,worker',
      }),
    HOST: z.string().default('127.0.0.1').register(DOCS, { description: 'Address to listen on.', example: '0.0.0.0' }),
    PORT: integer(0, 65_535).default(3000).register(DOCS, { description: 'HTTP port.', example: '3000' }),
    PUBLIC_URL: url('http', 'https').default('http://localhost:3000').register(DOCS, {
      description:
        'Where clients reach the API and the web app: in mailed links, in the type of problems, and the issuer of access tokens.',
      example: 'https://doors.example.com',
    }),
    TRUSTED_PROXIES: listOf(cidr()).prefault('').register(DOCS, {
      description:
        'Addresses of your own reverse proxies, as CIDR ranges. Only what these say of the client is believed.',
      example: '10.0.0.0/8,fd00::/8',
    }),
    FORWARDED_HEADER: oneOf('x-forwarded-for', 'forwarded').default('x-forwarded-for').register(DOCS, {
      description:
        'The header in which they say it: x-forwarded-for, or forwarded (RFC 7239). The other one is what a client wrote, and ignored.',
      example: 'x-forwarded-for',
    }),
    CORS_ORIGINS: listOf(origin()).prefault('').register(DOCS, {
      description:
        'Origins whose pages may call the API with credentials, separated by commas; `http://localhost:*` for each port of this machine. Unset: none.',
      example: 'https://app.example.com',
    }),
    CONTENT_SECURITY_POLICY: contentSecurityPolicy().default(DEFAULT_CSP).register(DOCS, {
      description:
        'What pages served here may load (CSP Level 3). Where browsers report what it forbids is added: POST /api/v1/csp-reports.',
      example: DEFAULT_CSP,
    }),
    SECURITY_CONTACT: listOf(url('https', 'mailto', 'tel'))
      .prefault('')
      .register(DOCS, {
        description:
          'Where to report a weakness, for /.well-known/security.txt (RFC 9116), separated by commas. Unset: none.',
        example: 'mailto:security@example.com',
      }),
    REQUEST_TIMEOUT: durationFrom('1s', '60s').prefault('10s').register(DOCS, {
      description:
        'From the arrival of a request to its answer: 1s to 60s. Later it is given up with 503. What a client asks to wait (`Prefer: wait`) comes on top, and exports and imports have more.',
      example: '10s',
    }),
    RATE_LIMIT_SCALE: factor().default(1).register(DOCS, { description: 'Multiplies every rate limit.', example: '1' }),
    ADDRESS_BLOCK_AFTER: integer(0, 1_000_000).default(10).register(DOCS, {
      description: 'So many refusals in a row by a rate limit block the address for a while. 0: never.',
      example: '10',
    }),
    ADDRESS_BLOCK_DURATION: duration()
      .prefault('15m')
      .register(DOCS, { description: 'How long an address stays blocked.', example: '15m' }),
    CONNECTIONS_PER_ADDRESS: integer(8, 100_000).default(256).register(DOCS, {
      description:
        'Connections of an address (HTTP, sockets, MQTT) on which no client has signed in or waits for an answer. One more closes the oldest of them.',
      example: '256',
    }),
    MAX_DEVICES_PER_USER: integer(1, 1_000_000)
      .default(1_000)
      .register(DOCS, { description: 'Devices that a person may own.', example: '1000' }),
    DEVICE_EVENTS_PER_DAY: integer(1, 1_000_000_000).default(20_000).register(DOCS, {
      description:
        'Events of a device that are stored on a day (UTC); RATE_LIMIT_SCALE multiplies it. The device keeps what is beyond.',
      example: '20000',
    }),
    OWNER_EVENTS_PER_DAY: integer(1, 1_000_000_000).default(200_000).register(DOCS, {
      description: 'The same for all devices of an owner together.',
      example: '200000',
    }),
    DATABASE_URL: url('postgres', 'postgresql').register(DOCS, {
      description: 'PostgreSQL 16 or newer: the only system of record.',
      example: 'postgresql://mortise:PASSWORD@localhost:5432/mortise',
      secret: true,
    }),
    DATABASE_POOL_SIZE: integer(2, 500)
      .default(20)
      .register(DOCS, { description: 'Connections to PostgreSQL per process.', example: '20' }),
    DATABASE_POOL_MIN: integer(0, 500).default(2).register(DOCS, {
      description: 'So many of them are opened at the start and kept open, so that no request waits for a new one.',
      example: '2',
    }),
    ALLOW_NEWER_DATABASE: oneOf('0', '1')
      .transform((text) => text === '1')
      .prefault('0')
      .register(DOCS, {
        description:
          '1: starts although a newer release has migrated the database. For the release before that one, while it is rolled out or back.',
        example: '0',
      }),
    REDIS_URL: url('redis', 'rediss').register(DOCS, {
      description: 'Redis 7 or newer, or Valkey. It may be wiped at any moment: that costs time, never truth.',
      example: 'redis://localhost:6379',
      secret: true,
    }),
    MQTT_URL: url('mqtt', 'mqtts').nullable().default(null).register(DOCS, {
      description:
        'An MQTT broker (mqtt:// or mqtts://). Empty: an embedded broker, which allows one hardware process.',
      example: 'mqtts://broker.example.com:8883',
      // It may hold a password.
      secret: true,
    }),
    MQTT_USERNAME: z
      .string()
      .default('mortise')
      .register(DOCS, { description: 'Account of this backend at the external broker.', example: 'mortise' }),
    MQTT_PASSWORD: z
      .string()
      .default('')
      .register(DOCS, { description: 'Password of that account.', example: 'PASSWORD', secret: true }),
    MQTT_KEEPALIVE: durationFrom('2s', '60s').prefault('5s').register(DOCS, {
      description:
        'Keep-alive of this backend at the external broker, in whole seconds: after one and a half times as long, the broker lets a process that stands still go, and gives its share to the others.',
      example: '5s',
    }),
    MQTT_HOST: z
      .string()
      .default('127.0.0.1')
      .register(DOCS, { description: 'Address the embedded broker listens on.', example: '0.0.0.0' }),
    MQTT_PORT: integer(0, 65_535)
      .default(1883)
      .register(DOCS, { description: 'Port of the embedded broker.', example: '1883' }),
    MQTT_PUBLIC_URL: url('mqtt', 'mqtts').nullable().default(null).register(DOCS, {
      description:
        'Where devices reach the broker (mqtt:// or mqtts://): in QR codes and in answers to them. Unset: MQTT_URL, or the host of PUBLIC_URL with MQTT_PORT.',
      example: 'mqtts://broker.example.com:8883',
    }),
    MASTER_KEY: key256().register(DOCS, {
      description:
        '32 bytes in base64. Seals private keys at rest and derives refresh tokens; losing it ends every session. All zeros: for tests only.',
      example: 'openssl rand -base64 32',
      secret: true,
    }),
    ...ACCOUNT_SETTINGS,
    ...CACHE_SETTINGS,
    ...RETENTION_SETTINGS,
    ...STORAGE_SETTINGS,
    SMTP_URL: url('smtp', 'smtps').nullable().default(null).register(DOCS, {
      description:
        'Mail server: smtp://user:password@host:587 (STARTTLS where offered; ?requireTLS=true insists) or smtps://. Unset: mail goes to the log, without its links.',
      example: 'smtps://mortise:PASSWORD@mail.example.com',
      secret: true,
    }),
    MAIL_FROM: z
      .string()
      .default('Mortise <mortise@localhost>')
      .register(DOCS, { description: 'Sender of every mail.', example: 'Mortise <doors@example.com>' }),
    MAIL_LOG_LINKS: oneOf('0', '1')
      .transform((text) => text === '1')
      .prefault('0')
      .register(DOCS, {
        description:
          '1: mail that goes to the log shows its links, which are as good as passwords. For demonstrations only: refused with NODE_ENV=production.',
        example: '0',
      }),
    ...MAIL_EVENTS_SETTINGS,
    ...PUSH_SETTINGS,
    ...SMS_SETTINGS,
    LOG_LEVEL: oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent')
      .default('info')
      .register(DOCS, { description: 'trace, debug, info, warn, error or silent.', example: 'info' }),
    ...QUEUE_SETTINGS,
    EXPORT_MAX_BYTES: integer(1_048_576, 5_368_709_120).default(2_147_483_648).register(DOCS, {
      description: 'How large the file of an export may be: one that would be larger fails with `too_large`.',
      example: '2147483648',
    }),
    OUTBOUND_ALLOWED_NETWORKS: listOf(cidr()).prefault('').register(DOCS, {
      description:
        'Networks that webhooks may reach although they are not public, as CIDR ranges, also over http: name single receivers, because each user can find out what answers there. Unset: none.',
      example: '192.168.1.20/32',
    }),
    METRICS_TOKEN: z.string().nullable().default(null).register(DOCS, {
      description: 'Bearer token for /metrics. Unset: only loopback may read it.',
      example: 'openssl rand -base64 32',
      secret: true,
    }),
    BUILD_COMMIT: z.string().default('unknown').register(DOCS, {
      description: 'The commit that this was built from, for `mortise_build_info`. The image sets it.',
      example: '1f3c9a7',
    }),
    DRAIN_DELAY: durationFrom('0s', '5m').nullable().default(null).register(DOCS, {
      description:
        'How long a process that was told to stop goes on as before, but is not ready any more, so that a balancer sees it. Unset: 5s with NODE_ENV=production, else none.',
      example: '5s',
    }),
    DRAIN_TIMEOUT: duration().prefault('10s').register(DOCS, {
      description: 'How long a stopping process waits after that for requests under way.',
      example: '10s',
    }),
  })
  .refine(({ NODE_ENV, MASTER_KEY }) => NODE_ENV === 'test' || MASTER_KEY.some((byte) => byte !== 0), {
    when: sound('NODE_ENV', 'MASTER_KEY'),
    error: 'MASTER_KEY=[redacted] must not be all zeros: openssl rand -base64 32.',
  })
  .refine(hashesAreStrong, {
    when: sound('ARGON2_MEMORY', 'ARGON2_PASSES'),
    error: `ARGON2_MEMORY and ARGON2_PASSES must not be weaker than OWASP recommends at least: ${WEAKEST_HASHES}.`,
  })
  .refine(({ DATABASE_POOL_MIN, DATABASE_POOL_SIZE }) => DATABASE_POOL_MIN <= DATABASE_POOL_SIZE, {
    when: sound('DATABASE_POOL_MIN', 'DATABASE_POOL_SIZE'),
    error: 'DATABASE_POOL_MIN must not be above DATABASE_POOL_SIZE.',
  })
  .refine(rollupsOutlastEvents, {
    when: sound('RETENTION_EVENTS', 'RETENTION_ROLLUPS'),
    error:
      'RETENTION_ROLLUPS must not be shorter than RETENTION_EVENTS: a quarter of an hour would be counted again without its beginning.',
  })
  .refine((settings) => missingForS3(settings).length === 0, {
    when: sound('STORAGE_DRIVER', ...NEEDED_BY_S3),
    error: ({ input }) => `STORAGE_DRIVER=s3 needs ${missingForS3(input as StorageSettings).join(', ')}, too.`,
  })
  .refine((settings) => missingInGroups(settings).length === 0, {
    when: sound(...PROVIDER_GROUPS.flat()),
    error: ({ input }) =>
      `A service is set up in part: ${missingInGroups(input as ProviderSettings).join(', ')} must be set, too.`,
  })
  .refine(({ NODE_ENV, MAIL_LOG_LINKS }) => NODE_ENV !== 'production' || !MAIL_LOG_LINKS, {
    when: sound('NODE_ENV', 'MAIL_LOG_LINKS'),
    error: 'MAIL_LOG_LINKS=1 must not be set with NODE_ENV=production: the links in the log are as good as passwords.',
  });

export type Settings = z.output<typeof SETTINGS>;
