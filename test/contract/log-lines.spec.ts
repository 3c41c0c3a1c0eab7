/**
 * A device can cause a line in the log as often as it likes, so each such line goes through LimitedLogger. The handlers of
 * device messages, the broker and all that they import are read; a logger used there needs a reason below.
 * Seen to fail: with the warning for acks of unknown commands, as it was, and with one line for each device whose dispatch failed.
 */
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type SourceFile, sourceFiles } from '../support/source-rules.js';

const ROOTS =
  /(-mqtt\.controller|-socket\.gateway|platform\/mqtt\/(mqtt-server|embedded-broker|broker-authorizer))\.ts$/;
/** What runs because of a message without being imported by its handler: it is told. */
const IS_TOLD =
  /\.(onConnected|onLockStateReported|onUptimeFell|onRefusal|onCut)\(|signals\.on\('(command_|order_|device_(revoked|cut|socket)|events_)|feed\.subscribe\(/;

/** Loggers in reach of a device that write without a limit of theirs, and why that is enough. */
const BOUNDED: Readonly<Record<string, string>> = {
  'src/platform/logging/limited-logger.ts': 'it is the limiter',
  'src/platform/mqtt/mqtt-server.ts': 'the connection of this process to its broker: as often as it reconnects',
  'src/platform/mqtt/device-publisher.ts': 'the same connection, the other way',
  'src/platform/mqtt/line/canary-publisher.ts':
    'a right that the broker does not give: once for each channel and reason',
  'src/platform/mqtt/line/eviction-registry.ts': 'connections of this process: one line a minute',
  'src/platform/mqtt/broker-lock.ts': 'the lock of the embedded broker: every three seconds while it is lost',
  'src/platform/realtime/devices/device-socket-sweeper.ts': 'a check that failed: one line for an outage',
  'src/features/commands/dispatch/socket-order-sweeper.ts': 'a step that failed: one a second at most',
  'src/platform/rate-limit/blocked-ip-store.ts':
    'blocked addresses that could not be read or written, which handshakes of devices do not ask for',
  'src/platform/redis/redis-clients.ts': 'an outage of Redis and its end',
  'src/platform/redis/signal-bus.ts': 'debug lines; and a handler of signals that fails, which is a fault of ours',
  'src/features/commands/completion-waiters.ts': 'a command that a person waits for could not be read',
  'src/platform/events/feed-relay.ts': 'who relays the feed changes, and an outage of the loop',
  'src/platform/events/live-feed.ts': 'an outage of the loop',
  'src/platform/events/durable-reader-scheduler.ts': 'a step that failed: one in a growing pause',
  'src/features/presence/heartbeat-buffer.ts': 'a batch that failed: one a second',
};

async function reachable(): Promise<SourceFile[]> {
  const files = new Map((await sourceFiles()).map((file) => [normalize(file.path), file]));
  const found = new Set<string>();
  const visit = (path: string): void => {
    const file = files.get(path);
    if (!file || found.has(path)) {
      return;
    }
    found.add(path);
    for (const [, imported = ''] of file.text.matchAll(/from '(\.[^']+)\.js'/g)) {
      visit(normalize(join(dirname(path), `${imported}.ts`)));
    }
  };
  [...files]
    .filter(([path, { text }]) => ROOTS.test(path) || IS_TOLD.test(text))
    .forEach(([path]) => {
      visit(path);
    });
  return [...found].flatMap((path) => files.get(path) ?? []);
}

const writes = ({ text }: SourceFile): boolean =>
  /(?<!#)\b(log|logger)(\.(trace|debug|info|warn|error|fatal)|\[[^\]]+\])\(/.test(text);

describe('Lines in the log that a device can cause', () => {
  it('go through LimitedLogger, or say why they are few', async () => {
    const files = await reachable();
    expect(files.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        'src/features/commands/acknowledgement/acknowledgement.service.ts',
        'src/features/history/event-ingest.service.ts',
      ]),
    );
    const unbounded = files.filter(writes).map(({ path }) => normalize(path));
    expect(unbounded.filter((path) => !(path in BOUNDED))).toEqual([]);
    expect(Object.keys(BOUNDED).filter((path) => !unbounded.includes(path))).toEqual([]);
  });
});
