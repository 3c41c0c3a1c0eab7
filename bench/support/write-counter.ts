import { Socket } from 'node:net';

/** To whom a process writes. */
export type Peer = 'HTTP' | 'Redis' | 'PostgreSQL';

/** What every write to a socket goes through in Node, one call for each that reaches the system. */
interface Writing {
  _writeGeneric(this: Socket, ...args: unknown[]): unknown;
}

/** Counts the writes of this process to sockets from now on: HTTP is what did not connect to one of the two. */
export function countWrites(ports: Readonly<Record<Exclude<Peer, 'HTTP'>, number>>): Record<Peer, number> {
  const counts = { HTTP: 0, Redis: 0, PostgreSQL: 0 };
  const peers = new Map([
    [ports.Redis, 'Redis' as const],
    [ports.PostgreSQL, 'PostgreSQL' as const],
  ]);
  const prototype = Socket.prototype as unknown as Writing;
  const write = prototype._writeGeneric;
  prototype._writeGeneric = function (...args) {
    counts[peers.get(this.remotePort ?? 0) ?? 'HTTP'] += 1;
    return write.apply(this, args);
  };
  return counts;
}
