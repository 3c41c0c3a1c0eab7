import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { AppConfig } from '../../config/app-config.js';
import type { Metrics } from '../metrics/metrics.js';
import { ConnectionLimiter } from './connection-limiter.js';

let limiter: ConnectionLimiter;
let closed: string[];
let cut: object[];

beforeEach(() => {
  jest.useFakeTimers();
  closed = [];
  cut = [];
  limiter = new ConnectionLimiter(
    { connectionsPerAddress: 3, http: { trustedProxies: ['10.0.0.0/8'] } } as unknown as AppConfig,
    { counter: () => ({ inc: (labels: object) => cut.push(labels) }) } as unknown as Metrics,
  );
});

afterEach(() => {
  jest.useRealTimers();
});

/** Longer than a new connection has to say something. */
function later(): void {
  jest.advanceTimersByTime(1_100);
}

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
    expect(closed).toEqual([]);
    later();
    expect(closed).toEqual(['first', 'second']);
    expect(cut).toEqual([{ transport: 'socket' }, { transport: 'socket' }]);
  });

  it('leaves a connection alone on which a client signed in', () => {
    limiter.settle(open('signed in', 'a'));
    ['first', 'second', 'third', 'fourth'].forEach((name) => open(name, 'a'));
    later();
    expect(closed).toEqual(['first']);
  });

  it('gives those that come at once time to say something', () => {
    const burst = Array.from({ length: 9 }, (_, index) => open(String(index), 'a'));
    jest.advanceTimersByTime(400);
    burst.slice(0, 7).forEach((connection) => {
      limiter.settle(connection);
    });
    ['late', 'later'].forEach((name) => open(name, 'a'));
    jest.advanceTimersByTime(200);
    expect(closed).toEqual(['7']);
    later();
    expect(closed).toEqual(['7']);
  });

  it('leaves a connection alone whose client waits for an answer, and counts it as the newest then', () => {
    const [waiting, settled] = [open('waiting', 'a'), open('settled', 'a')];
    [waiting, settled].forEach((connection) => {
      limiter.hold(connection);
    });
    ['first', 'second', 'third', 'fourth'].forEach((name) => open(name, 'a'));
    later();
    expect(closed).toEqual(['first']);
    limiter.settle(settled);
    [waiting, settled, waiting].forEach((connection) => {
      limiter.release(connection);
    });
    later();
    expect(closed).toEqual(['first', 'second']);
    ['fifth', 'sixth', 'seventh'].forEach((name) => open(name, 'a'));
    later();
    expect(closed).toEqual(['first', 'second', 'third', 'fourth', 'waiting']);
  });

  it('holds no more than so many', () => {
    for (let host = 0; host <= 4_096; host += 1) {
      limiter.hold(open(`host ${String(host)}`, `a${String(host)}`));
    }
    for (let host = 0; host < 4_096; host += 1) {
      open(`other ${String(host)}`, `b${String(host)}`);
    }
    expect(closed).toEqual(['host 4096']);
  });

  it('closes those of the address that has too many first when there are too many in all', () => {
    open('neighbour', 'b');
    for (let count = 0; count < 4_098; count += 1) {
      open(String(count), 'a');
    }
    expect(closed).toEqual(['0', '1', '2']);
  });

  it('closes those of the address that has the most then, and not of the first that has too many', () => {
    ['1', '2', '3', '4'].forEach((name) => open(`building ${name}`, 'b'));
    for (let count = 0; count < 4_094; count += 1) {
      open(String(count), 'a');
    }
    expect(closed).toEqual(['0', '1']);
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
    later();
    expect(closed).toEqual([]);
  });

  it('counts sockets by address, IPv6 by its /64, and those of a trusted proxy not at all', () => {
    for (let host = 1; host <= 4; host += 1) {
      limiter.watch('mqtt', socketFrom(`2001:db8::${String(host)}`));
      limiter.watch('http', socketFrom('10.0.0.1'));
    }
    later();
    expect(closed).toEqual(['2001:db8::1']);
  });
});
