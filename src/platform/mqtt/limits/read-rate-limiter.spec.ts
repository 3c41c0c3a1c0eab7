import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ReadRateLimiter } from './read-rate-limiter.js';

const closers: (() => void)[] = [];
afterEach(() => {
  closers.splice(0).forEach((close) => {
    close();
  });
});

/** A pair of connected sockets; what the server reads goes through the limiter. */
async function pair(pace: (packets: number, bytes: number) => number) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  closers.push(
    () => client.destroy(),
    () => server.close(),
  );
  let oversized = false;
  new ReadRateLimiter(socket, { maxPacketBytes: 1_000, pace, onOversized: () => (oversized = true) });
  const received: Buffer[] = [];
  /** When each was. */
  const stamps: number[] = [];
  socket.on('readable', () => {
    for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
      received.push(chunk);
      stamps.push(performance.now());
    }
  });
  return { client, socket, received, stamps, wasOversized: () => oversized };
}

const packet = (index: number): Buffer => Buffer.from([0x30, 2, index, index]);
const all = Buffer.concat(Array.from({ length: 100 }, (_, index) => packet(index)));

async function complete(received: readonly Buffer[], bytes: number): Promise<Buffer> {
  while (Buffer.concat(received).length < bytes) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return Buffer.concat(received);
}

describe('ReadRateLimiter', () => {
  it('hands over every byte, eight packets at a time, however the stream is cut', async () => {
    const counted: number[] = [];
    const { client, received } = await pair((packets) => {
      counted.push(packets);
      return packets > 0 ? 1 : 0;
    });
    for (let start = 0; start < all.length; start += 7) {
      client.write(all.subarray(start, start + 7));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await complete(received, all.length)).toEqual(all);
    expect(Math.max(...counted)).toBeLessThanOrEqual(8);
    expect(counted.reduce((sum, packets) => sum + packets, 0)).toBe(100);
  });

  it('reads nothing while it pauses, and goes on by itself', async () => {
    const { client, received, stamps } = await pair(() => 150);
    client.write(all);
    await complete(received, 64);
    expect(received.slice(0, 2).map(({ length }) => length)).toEqual([32, 32]);
    expect(stamps[1]! - stamps[0]!).toBeGreaterThan(100);
  });

  it('ends a connection that announces too long a packet', async () => {
    const { client, wasOversized } = await pair(() => 0);
    client.write(Buffer.from([0x30, 0xff, 0x7f]));
    await once(client, 'close');
    expect(wasOversized()).toBe(true);
  });
});
