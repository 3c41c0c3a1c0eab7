/** Faults are judged by what this sees: one that finds nothing looks like a pass. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { lateOrders, OrderSniffer } from './order-sniffer.js';
import { eventually } from './wait.js';

const LIFE_MS = 100;

const sniffer = new OrderSniffer();
let server: Server;
let sender: Socket;

beforeAll(async () => {
  server = createServer((socket) => socket.on('data', sniffer.listen())).listen(0, '127.0.0.1');
  await once(server, 'listening');
  sender = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(sender, 'connect');
});

afterAll(async () => {
  sniffer.close();
  sender.destroy();
  server.close();
  await once(server, 'close');
});

const signedOrder = (commandId: string): string => {
  const order = { commandId, expiresAt: new Date(Date.now() + LIFE_MS).toISOString() };
  return JSON.stringify({ order: JSON.stringify(order), kid: 'k', signature: 's' });
};

const late = async (commandId: string): Promise<boolean> => {
  await eventually('the order is read', () => sniffer.seen.some(({ order }) => order.commandId === commandId));
  return lateOrders(sniffer.seen).some(({ order }) => order.commandId === commandId);
};

describe('An order', () => {
  it('that comes in time is not late', async () => {
    sender.write(signedOrder('in time'));
    expect(await late('in time')).toBe(false);
  });

  it('that comes after its deadline is late', async () => {
    const signed = signedOrder('late');
    await pause(LIFE_MS);
    // A further pause: all that came by the deadline is read in between, on a busy machine as well.
    await pause(10);
    sender.write(signed);
    expect(await late('late')).toBe(true);
  });

  /** Seen to fail: it was late by the moment at which it was read. */
  it('that came in time, to a process that stood still until after its deadline, is not late', async () => {
    const signed = signedOrder('read late');
    sender.write(signed);
    const until = performance.now() + 2 * LIFE_MS;
    while (performance.now() < until) {
      // Nothing is read meanwhile.
    }
    expect(await late('read late')).toBe(false);
  });
});
