import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AppConfig } from '../../config/app-config.js';
import type { Metrics } from '../metrics/metrics.js';
import { ConnectionLimiter } from './connection-limiter.js';

let limiter: ConnectionLimiter;
let closed: string[];
let cut: object[];

beforeEach(() => {
  closed = [];
  cut = [];
  limiter = new ConnectionLimiter(
    { connectionsPerAddress: 3, http: { trustedProxies: ['10.0.0.0/8'] } } as unknown as AppConfig,
    { counter: () => ({ inc: (labels: object) => cut.push(labels) }) } as unknown as Metrics,
  );
});

function open(name: string, address: string): object {
  const connection = {};
  limiter.open(connection, { transport: 'socket', address, close: () => closed.push(name) });
  return connection;
}

function socketFrom(remoteAddress: string): Socket {
  const socket = Object.assign(new EventEmitter(), { remoteAddress, destroy: () => closed.push(remoteAddress) });
  return socket as unknown as Socket;
}

describe('ConnectionLimiter', () => {
  it('closes the oldest connection of an address that has too many, and no neighbour', () => {
    open('elsewhere', 'b');
    ['first', 'second', 'third'].forEach((name) => open(name, 'a'));
    expect(closed).toEqual([]);
    ['fourth', 'fifth'].forEach((name) => open(name, 'a'));
    expect(closed).toEqual(['first', 'second']);
    expect(cut).toEqual([{ transport: 'socket' }, { transport: 'socket' }]);
  });

  it('leaves a connection alone on which a client signed in', () => {
    limiter.settle(open('signed in', 'a'));
    ['first', 'second', 'third', 'fourth'].forEach((name) => open(name, 'a'));
    expect(closed).toEqual(['first']);
  });

  it('closes the oldest of all when many addresses have some', () => {
    for (let host = 0; host <= 4_096; host += 1) {
      open(`host ${String(host)}`, `a${String(host)}`);
    }
    expect(closed).toEqual(['host 0']);
  });

  it('forgets what is over', () => {
    const sockets = ['192.0.2.7', '192.0.2.7', '::ffff:192.0.2.7'].map(socketFrom);
    sockets.forEach((socket) => {
      limiter.watch('http', socket);
      socket.emit('close');
    });
    ['first', 'second', 'third'].forEach((name) => open(name, '192.0.2.7'));
    expect(closed).toEqual([]);
  });

  it('counts sockets by address, IPv6 by its /64, and those of a trusted proxy not at all', () => {
    for (let host = 1; host <= 4; host += 1) {
      limiter.watch('mqtt', socketFrom(`2001:db8::${String(host)}`));
      limiter.watch('http', socketFrom('10.0.0.1'));
    }
    expect(closed).toEqual(['2001:db8::1']);
  });
});
