import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type UnreadConnection, UnreadLimiter } from './unread-limiter.js';

const MIB = 1024 * 1024;

/** A connection of Engine.IO whose client reads when it is told to. */
class Client extends EventEmitter implements UnreadConnection {
  readonly transport = { writable: true };
  isCut = false;

  send(bytes: number): void {
    this.emit('packetCreate', { data: { length: bytes } });
    if (this.transport.writable) {
      this.flush();
    }
  }

  flush(): void {
    this.emit('flush');
    this.transport.writable = false;
  }

  read(): void {
    this.transport.writable = true;
  }

  end(): void {
    if (!this.isCut) {
      this.isCut = true;
      this.emit('close');
    }
  }
}

let limiter: UnreadLimiter;
let all: Client[];

beforeEach(() => {
  limiter = new UnreadLimiter(1);
  all = [];
});

function client(personId = 'ada'): Client {
  const made = new Client();
  limiter.watch(made, () => {
    made.end();
  });
  limiter.assign(made, personId);
  made.once('close', () => {
    limiter.forget(made);
  });
  all.push(made);
  return made;
}

const cut = (): number[] => all.flatMap(({ isCut }, index) => (isCut ? [index] : []));

describe('What is unread', () => {
  it('is at most 4 MiB of a connection that waits for its transport', () => {
    const deaf = client();
    deaf.send(1);
    for (let n = 0; n < 4; n += 1) {
      deaf.send(MIB);
    }
    expect(deaf.isCut).toBe(false);
    deaf.send(1);
    expect(deaf.isCut).toBe(true);
  });

  it('is at most 32 MiB of a person, what is under way included: the largest is cut, and nobody else', () => {
    const clients = Array.from({ length: 10 }, () => client());
    const other = client('grace');
    [...clients, other].forEach((each) => {
      each.send(2 * MIB);
      each.send(MIB);
    });
    clients[4]?.send(MIB / 2);
    expect(cut()).toEqual([]);
    clients[7]?.send(2 * MIB);
    expect(cut()).toEqual([7]);
    clients[1]?.send(3 * MIB);
    expect(cut()).toEqual([7]);
    clients[2]?.send(2 * MIB);
    expect(cut()).toEqual([1, 7]);
  });

  it('is not what was read, and not what was left by a connection that is over', () => {
    const clients = Array.from({ length: 10 }, () => client());
    for (let round = 0; round < 5; round += 1) {
      clients.forEach((each) => {
        each.send(2 * MIB);
        each.send(MIB);
        each.read();
        each.flush();
        each.read();
      });
    }
    expect(cut()).toEqual([]);
    for (let round = 0; round < 20; round += 1) {
      const short = client();
      short.send(3 * MIB);
      short.send(3 * MIB);
      short.end();
    }
    expect(clients.filter(({ isCut }) => isCut)).toEqual([]);
  });

  it('is more where the scale of all limits says so, and never less than a connection may have', () => {
    limiter = new UnreadLimiter(2);
    const clients = Array.from({ length: 21 }, () => client());
    clients.slice(0, 20).forEach((each) => {
      each.send(3 * MIB);
    });
    expect(cut()).toEqual([]);
    clients[20]?.send(3 * MIB);
    expect(cut()).toEqual([]);
    clients[20]?.send(3 * MIB);
    expect(cut()).toEqual([20]);
    limiter = new UnreadLimiter(0.01);
    all = [];
    client().send(3 * MIB);
    expect(cut()).toEqual([]);
  });
});
