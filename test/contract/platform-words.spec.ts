/** `src/platform` is technology: it names nothing that belongs to a feature, except for the reasons below. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const PLATFORM = 'src/platform';
const FEATURE_WORDS = new Set(
  'user account password session organization member membership invitation device lock unlock door command order visitor'.split(
    ' ',
  ),
);

/** A folder or file, the words it may use, and why. `''` is all of the platform. */
const EXCEPTIONS: readonly [path: string, words: string, reason: string][] = [
  ['', 'user', 'who asks: `principal.userId`, `RATE_LIMIT_USER`, the header User-Agent, the actor `user:<id>`'],
  ['auth', 'session', 'a principal has a session, which a feature verifies (SessionVerifier)'],
  ['audit', 'session', 'the column of the session in which something was done'],
  ['audit/audit-reader.ts', 'order', 'Prisma: the direction of a page'],
  ['context', 'session device', 'who and what the logs of a request name'],
  ['logging', 'device password', 'the id that logs name, and members that they must not show'],
  ['mqtt', 'device', 'its subject is the line to devices'],
  ['mqtt', 'password account', 'what MQTT logs in with'],
  ['mqtt/device-publisher.ts', 'order', 'the channel that orders are published on'],
  ['mqtt', 'lock session', 'the advisory lock of PostgreSQL, and the session that holds it'],
  ['realtime/sockets.ts', 'organization', 'whose devices a socket follows'],
  ['realtime/socket-adapter.ts', 'device', 'whose path is no page’s'],
  ['realtime/socket-context.ts', 'session', 'of which a message is, in the audit'],
  ['realtime/socket-adapter.ts', 'device', 'the path on which origins are no matter'],
  ['realtime/devices', 'device', 'its subject is the line to devices, over sockets'],
  ['realtime/devices/device-handshake.dto.ts', 'password', 'what other protocols call the token'],
  ['realtime/socket.errors.ts', 'device', 'who connects where'],
  ['events', 'device command', 'columns of the event log, which its readers filter by'],
  ['events', 'organization', 'by which the live feed finds those who may see an event'],
  ['events', 'lock', 'SQL: a row lock'],
  ['events', 'order', 'SQL: the direction of a page'],
  ['idempotency/idempotency.service.ts', 'lock', 'SQL: an advisory lock'],
  ['idempotency/idempotency.interceptor.ts', 'unlock door', 'the example in the API document'],
  ['audit/audit-reader.ts', 'order', 'the direction of a page, in Prisma and in SQL'],
  ['keys', 'lock', 'SQL: an advisory lock'],
  ['keys', 'order', 'a purpose of keys is to sign orders; ORDER BY'],
  ['crypto/password-hasher.ts', 'password', 'it hashes passwords'],
  ['crypto/hashes-password.decorator.ts', 'password', 'it marks the routes that reach the hasher'],
  ['crypto/crypto.module.ts', 'password', 'it provides the hasher'],
  ['mail/smtp-transport.ts', 'password', 'what SMTP logs in with'],
  ['mail/mail-html.ts', 'password', 'the part of a URL, of which a link may have none'],
  ['http', 'member', 'a member of a JSON object'],
  ['uplinks', 'member', 'a member of a JSON object'],
  ['uplinks', 'device', 'its subject is what devices say'],
  ['mqtt/requests', 'member', 'a member of a JSON object'],
  ['prisma/connection-quota.ts', 'device', 'the actor `device:<id>`: its work is that of the line'],
  ['auth/tickets/ticket-authenticator.ts', 'command', 'a command of Redis'],
  ['auth/auth.errors.ts', 'member', 'a member of a JSON object'],
  ['audit/audit-registry.ts', 'member', 'a member of a JSON object'],
  ['logging/redact.ts', 'member', 'a member of a JSON object'],
  ['http/problems/problem.dto.ts', 'device', 'the example in the API document'],
  ['prisma', 'session command', 'words of PostgreSQL'],
  ['prisma/migrations', 'lock', 'the advisory lock of those who migrate, and the lock file of Prisma'],
  [
    'adoption/adoption-store.ts',
    'lock session',
    'settings of PostgreSQL: the limits of a session, and of waiting for locks',
  ],
  ['redis', 'command', 'a command of Redis'],
  ['outbound/judged-connector.ts', 'session', 'the word of undici for what TLS takes up again'],
  ['outbound/outbound-address.ts', 'password', 'a part of a URL'],
  ['storage/s3-file-store.ts', 'command', 'the word of the AWS SDK for a request'],
  ['push', 'session', 'the word of node:http2 for a connection'],
  ['push', 'account', 'the service account with which Google is called'],
  ['push/apns-client.ts', 'device', 'the word of Apple for the target of a message'],
  ['sms/twilio-client.ts', 'account', 'the word of Twilio for its customer'],
  ['queue/queue-plans.ts', 'lock', 'an option of BullMQ: how long a lease lasts'],
  ['prisma/process-lock.ts', 'lock', 'the advisory lock of PostgreSQL that a process holds'],
  ['prisma/prisma.module.ts', 'lock', 'it provides that lock'],
  ['mail/mail-outbox.ts', 'lock', 'that lock: whether the process that sends a mail is gone'],
  ['queue/job-processor.ts', 'lock', 'the words of BullMQ for a lease that is lost'],
  ['rate-limit/shared-window-store.ts', 'command', 'a command of Redis'],
  ['cache/cache-scripts.ts', 'command', 'a command of Redis'],
  ['events/feed-stream.ts', 'command', 'a command of Redis'],
];

interface Use {
  readonly path: string;
  readonly word: string;
}

/** Words of a name in any case: `deviceIds` is `device ids`. */
function wordsOf(name: string): string[] {
  const parts = name.match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g) ?? [];
  return parts.map((part) => part.toLowerCase().replace(/s$/, ''));
}

/** Names in the code, and literals that look like names; neither comments, nor prose, nor SQL. */
function namesIn(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:])\/\/.*/g, '$1');
  const literals = [...code.matchAll(/'([\w:./-]+)'/g)].map(([, literal = '']) => literal);
  const identifiers = code.replace(/'[^'\n]*'|"[^"\n]*"|`[^`]*`/g, ' ').match(/[A-Za-z_]\w*/g) ?? [];
  return [...literals.filter((literal) => !literal.startsWith('.')), ...identifiers];
}

function usesIn(path: string, text: string): Use[] {
  const words = [path, ...namesIn(text)].flatMap(wordsOf).filter((word) => FEATURE_WORDS.has(word));
  return [...new Set(words)].map((word) => ({ path, word }));
}

function covers([path, words]: (typeof EXCEPTIONS)[number], use: Use): boolean {
  return (path === '' || use.path === path || use.path.startsWith(`${path}/`)) && words.split(' ').includes(use.word);
}

function refused(uses: readonly Use[]): string[] {
  return uses
    .filter((use) => !EXCEPTIONS.some((exception) => covers(exception, use)))
    .map(({ path, word }) => `${path}: ${word}`);
}

async function usesOfPlatform(): Promise<Use[]> {
  const paths = (await readdir(PLATFORM, { recursive: true })).filter((path) => /(?<!\.spec)\.ts$/.test(path));
  const uses = await Promise.all(paths.map(async (path) => usesIn(path, await readFile(join(PLATFORM, path), 'utf8'))));
  return uses.flat();
}

describe('src/platform', () => {
  it('knows no word of a feature', async () => {
    expect(refused(await usesOfPlatform())).toEqual([]);
  });

  it('needs every exception that is listed', async () => {
    const uses = await usesOfPlatform();
    const unused = EXCEPTIONS.flatMap(([path, words, reason]) =>
      words.split(' ').filter((word) => !uses.some((use) => covers([path, word, reason], use))),
    );
    expect(unused).toEqual([]);
  });

  it('is searched in file names, names and literals', () => {
    expect(refused(usesIn('http/door-opener.ts', ''))).toEqual(['http/door-opener.ts: door']);
    expect(refused(usesIn('http/a.ts', 'const visitorIds = 1;'))).toEqual(['http/a.ts: visitor']);
    expect(refused(usesIn('http/a.ts', `if (name === 'unlock_door') {}`))).toEqual([
      'http/a.ts: unlock',
      'http/a.ts: door',
    ]);
    expect(refused(usesIn('http/a.ts', '// a door\n/* a door */ const text = `a door`;'))).toEqual([]);
  });
});
