import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { closeConnections } from './draining.js';

const GRACE_MS = 400;
const REQUEST = 'GET / HTTP/1.1\r\nHost: here\r\n';

describe('closeConnections', () => {
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
