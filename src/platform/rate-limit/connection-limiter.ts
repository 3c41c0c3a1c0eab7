import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/app-config.js';
import { type PeerKeyReader, peerKeyReader } from '../http/client-address.js';
import { type Counter, Metrics } from '../metrics/metrics.js';

/** Of all addresses together. Each one holds a file descriptor and some kilobytes. */
const MAX_WAITING = 4_096;

/** A connection on which no client has shown yet who it is. */
export interface WaitingConnection {
  readonly transport: 'http' | 'socket' | 'mqtt';
  /** The key of its address. */
  readonly address: string;
  readonly close: () => void;
}

/**
 * Bounds the connections on which no client has signed in, for each address and in all. One more closes the oldest of them,
 * and not itself: a client that signs in does so at once, and gets in beside any number that say nothing.
 */
@Injectable()
export class ConnectionLimiter {
  /** In the order in which they came. */
  readonly #waiting = new Map<object, WaitingConnection>();
  readonly #byAddress = new Map<string, Set<object>>();
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
    const neighbours = this.#byAddress.get(waiting.address) ?? new Set();
    this.#byAddress.set(waiting.address, neighbours.add(connection));
    this.#waiting.set(connection, waiting);
    const [eldest] = neighbours.size > this.#perAddress ? neighbours : this.#waiting.keys();
    if (eldest !== undefined && (neighbours.size > this.#perAddress || this.#waiting.size > MAX_WAITING)) {
      this.cut(eldest);
    }
  }

  /** It is over, or its client signed in: from now on the limits of that client hold. */
  settle(connection: object): void {
    const waiting = this.#waiting.get(connection);
    if (!waiting) {
      return;
    }
    this.#waiting.delete(connection);
    const neighbours = this.#byAddress.get(waiting.address);
    neighbours?.delete(connection);
    if (neighbours?.size === 0) {
      this.#byAddress.delete(waiting.address);
    }
  }

  private cut(connection: object): void {
    const waiting = this.#waiting.get(connection);
    this.settle(connection);
    if (waiting) {
      this.#cut.inc({ transport: waiting.transport });
      waiting.close();
    }
  }
}
