import { connect, type Socket } from 'node:net';
import { expect } from '@jest/globals';
import { eventually } from './wait.js';

/** A connection on which nothing is said, from an address of this machine. */
export function silentConnection(base: string, localAddress: string): Promise<Socket> {
  const { port } = new URL(base);
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress }, () => {
      resolve(socket);
    });
    socket.once('error', reject);
    socket.on('error', () => undefined);
  });
}

/** Opens ten more silent connections than an address may have: the oldest are closed. */
export async function crowd(base: string, localAddress: string, limit: number): Promise<void> {
  const sockets: Socket[] = [];
  for (let time = 0; time < limit + 10; time += 1) {
    sockets.push(await silentConnection(base, localAddress));
  }
  await eventually('the oldest are closed', () => sockets.filter(({ closed }) => closed).length === 10);
  expect(sockets.slice(0, 10).every(({ closed }) => closed)).toBe(true);
  sockets.forEach((socket) => socket.destroy());
}
