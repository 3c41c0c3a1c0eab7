// Who may import whom: see docs/architecture.md. Types such as Job, Socket or Redis reach the rest of
// the code as re-exports of their owner. Pure libraries a domain folder may use are listed by name.
/** @type {import('dependency-cruiser').IConfiguration} */
// What a feature offers to those above it: never its repositories, controllers, loops or domain.
const PUBLIC = '\\.(module|service|types|sql|errors|dto|decorator|interceptor)\\.ts$';
const ORDER =
  'users auth user-admin account organizations signing-keys blocked-ips sharing devices presence history device-settings commands visitors access-codes firmware analytics exports notifications webhooks privacy jobs audit realtime problems web-security health'.split(
    ' ',
  );
const EDGE = '\\.(controller|gateway|processor)\\.ts$';
const STORAGE = '(\\.repository\\.ts$|^src/platform/prisma/|^src/generated/)';
const owns = (name, pkg, home) => ({
  name: `${name}-has-one-owner`,
  severity: 'error',
  comment: `Only ${home} may import ${pkg}; the rest of the system speaks to the wrapper.`,
  from: { path: '^src/', pathNot: `^${home}` },
  to: { path: `(^|/)node_modules/${pkg}/` },
});
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: { pathNot: '^src/generated/' }, to: { circular: true } },
    {
      name: 'no-feature-cycles',
      severity: 'error',
      scope: 'folder',
      from: { path: '^src/features/([^/]+)$' },
      to: { circular: true, pathNot: '^src/features/$1/' },
    },
    {
      name: 'feature-public-surface',
      severity: 'error',
      from: { path: '^src/features/([^/]+)/' },
      to: { path: '^src/features/', pathNot: ['^src/features/$1/', PUBLIC] },
    },
    {
      name: 'shared-is-a-leaf',
      severity: 'error',
      from: { path: '^src/shared/' },
      to: { path: '^src/', pathNot: '^src/shared/' },
    },
    {
      name: 'contracts-are-plain',
      severity: 'error',
      from: { path: '^src/contracts/' },
      to: { path: '(^src/|node_modules/)', pathNot: '^src/(contracts|shared)/' },
    },
    {
      name: 'config-is-low',
      severity: 'error',
      from: { path: '^src/config/' },
      to: { path: '^src/', pathNot: '^src/(config|shared)/' },
    },
    {
      name: 'platform-knows-no-feature',
      severity: 'error',
      from: { path: '^src/platform/' },
      to: { path: '^src/(features|apps)/' },
    },
    {
      name: 'prisma-imports-only-context-and-process',
      severity: 'error',
      comment:
        'The database is below everything else of the platform, which registers with it what it wants to be asked.',
      from: { path: '^src/platform/prisma/' },
      to: { path: '^src/platform/', pathNot: '^src/platform/(prisma|context|process)/' },
    },
    {
      name: 'feature-knows-no-app',
      severity: 'error',
      from: { path: '^src/features/' },
      to: { path: '^src/(apps/|main)' },
    },
    {
      name: 'domain-is-pure',
      severity: 'error',
      from: { path: '^src/features/([^/]+)/.*domain/', pathNot: '\\.spec\\.ts$' },
      to: {
        path: '(^src/|node_modules/)',
        pathNot: [
          '^src/(shared|contracts)/',
          '^src/features/$1/.*(domain/|\\.types\\.ts$)',
          'node_modules/(luxon|bowser)/',
        ],
      },
    },
    { name: 'edges-skip-storage', severity: 'error', from: { path: EDGE }, to: { path: STORAGE } },
    {
      name: 'only-repositories-touch-prisma',
      severity: 'error',
      from: { path: '^src/features/', pathNot: '\\.repository\\.ts$' },
      to: {
        path: '^src/(platform/prisma|generated)/',
        pathNot: '^src/platform/prisma/(transactions|prisma\\.module)\\.ts$',
      },
    },
    ...ORDER.slice(0, -1).map((f, i) => ({
      name: `order-${f}`,
      severity: 'error',
      from: { path: `^src/features/${f}/` },
      to: { path: `^src/features/(${ORDER.slice(i + 1).join('|')})/` },
    })),
    owns('mqtt', 'mqtt', 'src/platform/mqtt/'),
    owns('aedes', 'aedes', 'src/platform/mqtt/'),
    owns('bullmq', '(bullmq|@nestjs/bullmq)', 'src/platform/queue/'),
    owns('pino', '(pino|pino-http|pino-pretty)', 'src/platform/logging/'),
    owns('prometheus', 'prom-client', 'src/platform/metrics/'),
    owns('passport', 'passport-jwt', 'src/platform/auth/'),
    owns('zxcvbn', '@zxcvbn-ts/[^/]+', 'src/features/users/'),
    owns('argon2', 'argon2', 'src/platform/crypto/'),
    owns('pg', '(pg|pg-copy-streams|@prisma/[^/]+|prisma)', 'src/(platform/prisma/|generated/)'),
    owns('socketio', 'socket\\.io', 'src/platform/realtime/'),
    owns('redis', 'ioredis', 'src/platform/redis/'),
    owns('bowser', 'bowser', 'src/features/auth/sessions/domain/device-name\\.'),
    owns('csv', 'csv-(parse|stringify)', 'src/shared/csv/'),
    owns('uuid', 'uuid', 'src/shared/ids\\.'),
    owns('recurrence', 'rrule-temporal', 'src/features/sharing/domain/recurrence-rule\\.spec\\.'),
    owns('zod', 'zod', 'src/config/'),
    owns('nodemailer', 'nodemailer', 'src/platform/mail/'),
    owns('eta', 'eta', 'src/platform/mail/'),
    owns('messages', '(intl-messageformat|@formatjs/[^/]+)', 'src/features/notifications/texts/'),
    owns('undici', 'undici', 'src/platform/outbound/'),
    owns('ipaddr', 'ipaddr\\.js', 'src/platform/outbound/'),
    owns('web-push', 'web-push', 'src/platform/push/'),
    owns('s3', '@aws-sdk/[^/]+', 'src/platform/storage/'),
    {
      name: 'not-to-test',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { path: '(^test/|\\.spec\\.ts$)' },
    },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, path: '^src/', pathNot: '\\.d\\.ts$' }, to: {} },
    {
      name: 'lock-knows-contracts-only',
      severity: 'error',
      comment: 'The virtual lock stands in for firmware: it speaks the public protocol and knows nothing else of us.',
      from: { path: '^tools/virtual-lock/' },
      to: { path: '^src/', pathNot: '^src/contracts/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
