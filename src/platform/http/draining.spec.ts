import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { acceptWaiting, closeConnections } from './draining.js';

const GRACE_MS = 400;
const REQUEST = 'GET / HTTP/1.1\r\nHost: here\r\n';
const CROWD = 100;

describe('A server that closes', () => {
  let server: Server;
  const clients: Socket[] = [];

  beforeEach(async () => {
    server = createServer((_request, answer) => answer.end('answered')).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    clients.forEach((client) => client.destroy());
  });

  async function clientThatSends(text: string): Promise<Socket> {
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('error', () => undefined);
    clients.push(client);
    await once(client, 'connect');
    client.write(text);
    return client;
  }

  /** In milliseconds. */
  async function timeToClose(): Promise<number> {
    const begun = performance.now();
    const stop = closeConnections(server, GRACE_MS);
    await new Promise((resolve) => server.close(resolve));
    stop();
    return performance.now() - begun;
  }

  /** Clients that have connected at one moment; the server accepts them one after another. @returns what each was answered */
  async function crowd(): Promise<Promise<string>[]> {
    const came = Array.from({ length: CROWD }, () => {
      const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
      clients.push(client);
      let answer = '';
      client.on('data', (chunk) => (answer += chunk.toString()));
      client.write(`${REQUEST}Connection: close\r\n\r\n`);
      const ended = new Promise<string>((resolve) => {
        client.once('error', ({ message }) => {
          resolve(message);
        });
        client.once('end', () => {
          resolve(answer.split('\r\n')[0] ?? '');
        });
      });
      return { connected: once(client, 'connect'), ended };
    });
    await Promise.all(came.map(({ connected }) => connected));
    return came.map(({ ended }) => ended);
  }

  it('answers those who have connected before, and were not accepted yet', async () => {
    const answers = await crowd();
    await acceptWaiting(server, 5_000);
    await timeToClose();
    expect(await Promise.all(answers)).toEqual(Array.from({ length: CROWD }, () => 'HTTP/1.1 200 OK'));
  });

  it('resets them without waiting', async () => {
    const answers = await crowd();
    await timeToClose();
    expect(await Promise.all(answers)).toContain('read ECONNRESET');
  });

  it('waits for clients that do not stop to come as long as it is told to', async () => {
    let isOver = false;
    const come = (): void => {
      if (!isOver) {
        const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
        client.on('error', () => undefined);
        clients.push(client);
      }
    };
    server.on('connection', come);
    come();
    const begun = performance.now();
    await acceptWaiting(server, 200);
    isOver = true;
    expect(performance.now() - begun).toBeGreaterThanOrEqual(200);
    expect(performance.now() - begun).toBeLessThan(2_000);
    await timeToClose();
  });

  it('lets a server close whose client answers nothing and keeps its connection', async () => {
    const client = await clientThatSends(`${REQUEST}\r\n`);
    await once(client, 'data');
    expect(await timeToClose()).toBeLessThan(GRACE_MS);
  });

  it('lets a server close whose client never ends its request, after the time for those that do', async () => {
    const client = await clientThatSends(REQUEST);
    const closed = once(client, 'close');
    expect(await timeToClose()).toBeGreaterThan(GRACE_MS - 50);
    await closed;
  });
});
