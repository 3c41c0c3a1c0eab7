import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import { type PeerKeyReader, peerKeyReader } from '../http/client-address.js';
import { type Counter, Metrics } from '../metrics/metrics.js';

/** Of all addresses together. Each one holds a file descriptor and some kilobytes. */
const MAX_WAITING = 4_096;
/** Whose clients wait for an answer. Further ones count as those that say nothing. */
const MAX_HELD = 4_096;
/** So long a new one has to say something, however many came with it. */
const GRACE_MS = 500;

/** A connection on which no client has shown yet who it is. */
export interface WaitingConnection {
  readonly transport: 'http' | 'socket' | 'mqtt';
  /** The key of its address. */
  readonly address: string;
  readonly close: () => void;
}

interface Waiting extends WaitingConnection {
  readonly sinceMs: number;
}

/**
 * Bounds the connections on which no client has signed in, for each address and in all. One more closes the oldest of them,
 * and not itself: a client that signs in does so at once, and gets in beside any number that say nothing. One whose client
 * waits for us is not among them.
 */
@Injectable()
export class ConnectionLimiter {
  /** In the order in which they came. */
  readonly #waiting = new Map<object, Waiting>();
  readonly #byAddress = new Map<string, Set<object>>();
  /** The addresses that have too many. */
  readonly #overfull = new Set<string>();
  readonly #held = new Map<object, WaitingConnection>();
  #isCheckDue = false;
  readonly #perAddress: number;
  readonly #peerKeyOf: PeerKeyReader;
  readonly #cut: Counter<'transport'>;

  constructor(config: AppConfig, metrics: Metrics) {
    this.#perAddress = config.connectionsPerAddress;
    this.#peerKeyOf = peerKeyReader(config.http);
    this.#cut = metrics.counter(
      'mortise_connections_cut_total',
      'Connections that were closed before a client signed in, because newer ones came',
      ['transport'],
    );
  }

  /** Counts a new connection until it is settled, or over. One of a trusted proxy stands for many addresses, and for none. */
  watch(transport: WaitingConnection['transport'], socket: Socket): void {
    const address = this.#peerKeyOf(socket);
    if (address === undefined) {
      return;
    }
    const close = (): void => {
      socket.destroy();
    };
    this.open(socket, { transport, address, close });
    socket.once('close', () => {
      this.settle(socket);
    });
  }

  /** As {@link watch}, for what is no socket. Its owner settles it when it is over. */
  open(connection: object, waiting: WaitingConnection): void {
    const { address } = waiting;
    const neighbours = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, neighbours.add(connection));
    this.#waiting.set(connection, { ...waiting, sinceMs: performance.now() });
    if (neighbours.size > this.#perAddress) {
      this.#overfull.add(address);
      this.checkLater();
    }
    if (this.#waiting.size > MAX_WAITING) {
      const [eldest] = this.mostOfOneAddress() ?? this.#waiting.keys();
      this.cut(eldest);
    }
  }

  /** Its client waits for our answer, and until {@link release} it is none that says nothing. */
  hold(connection: object): void {
    const waiting = this.#waiting.get(connection);
    if (waiting && this.#held.size < MAX_HELD) {
      this.settle(connection);
      this.#held.set(connection, waiting);
    }
  }

  /** It was answered: unless it is settled, it waits again, as the newest. */
  release(connection: object): void {
    const waiting = this.#held.get(connection);
    if (waiting) {
      this.#held.delete(connection);
      this.open(connection, waiting);
    }
  }

  /** It is over, or its client signed in: from now on the limits of that client hold. */
  settle(connection: object): void {
    this.#held.delete(connection);
    const waiting = this.#waiting.get(connection);
    if (!waiting) {
      return;
    }
    const { address } = waiting;
    this.#waiting.delete(connection);
    const neighbours = this.#byAddress.get(address);
    neighbours?.delete(connection);
    if (neighbours?.size === 0) {
      this.#byAddress.delete(address);
    }
    if (neighbours && neighbours.size <= this.#perAddress) {
      this.#overfull.delete(address);
    }
  }

  /** The connections of the address that has the most, if one has too many. */
  private mostOfOneAddress(): ReadonlySet<object> | undefined {
    let most: ReadonlySet<object> | undefined;
    for (const address of this.#overfull) {
      const neighbours = this.#byAddress.get(address);
      most = neighbours && neighbours.size > (most?.size ?? 0) ? neighbours : most;
    }
    return most;
  }

  /** What has arrived meanwhile is read first: a busy process has accepted connections whose requests it did not see yet. */
  private checkLater(): void {
    if (this.#isCheckDue) {
      return;
    }
    this.#isCheckDue = true;
    const check = (): void => {
      setImmediate(() => {
        this.#isCheckDue = false;
        this.cutEldest();
      });
    };
    setTimeout(check, GRACE_MS).unref();
  }

  private cutEldest(): void {
    const before = performance.now() - GRACE_MS;
    for (const address of this.#overfull) {
      const neighbours = this.#byAddress.get(address) ?? new Set();
      const tooMany = [...neighbours].slice(0, neighbours.size - this.#perAddress);
      tooMany
        .filter((connection) => (this.#waiting.get(connection)?.sinceMs ?? 0) <= before)
        .forEach((connection) => {
          this.cut(connection);
        });
    }
    if (this.#overfull.size > 0) {
      this.checkLater();
    }
  }

  private cut(connection: object | undefined): void {
    const waiting = connection && this.#waiting.get(connection);
    if (waiting) {
      this.settle(connection);
      this.#cut.inc({ transport: waiting.transport });
      waiting.close();
    }
  }
}
