import { type ObservedOrder } from './order-subscriber.js';
import { type Order, type SignedOrder } from '../../src/contracts/orders.js';

/** A signed order as JSON, wherever it is in a stream of MQTT packets. */
const SIGNED = /\{"order":"(?:[^"\\]|\\.)*","kid":"[^"]*","signature":"[^"]*"\}/g;
const LONGEST = 8_192;
const LOOK_EVERY_MS = 1;

/**
 * Reads the orders out of the bytes that go to a broker. Each has the time when all that had come before was read: it came no earlier.
 * A test process that stood still reads what came meanwhile when it goes on, and knows no better.
 */
export class OrderSniffer {
  readonly seen: ObservedOrder[] = [];
  #caughtUpAt = Date.now();
  /** What came is read between a timer and the callbacks of `setImmediate`. */
  readonly #timer = setInterval(() => {
    setImmediate(() => {
      this.#caughtUpAt = Date.now();
    });
  }, LOOK_EVERY_MS).unref();

  /** @returns a function that takes what one connection sends, chunk by chunk. */
  listen(): (chunk: Buffer) => void {
    let unread = '';
    return (chunk) => {
      unread += chunk.toString('latin1');
      let end = 0;
      for (const match of unread.matchAll(SIGNED)) {
        const bytes = match[0];
        this.seen.push({
          order: JSON.parse((JSON.parse(bytes) as SignedOrder).order) as Order,
          bytes,
          retained: false,
          at: this.#caughtUpAt,
        });
        end = match.index + bytes.length;
      }
      unread = unread.slice(end).slice(-LONGEST);
    };
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** Orders that came at or past their deadline. */
export function lateOrders(seen: readonly ObservedOrder[]): ObservedOrder[] {
  return seen.filter(({ order, at }) => at >= Date.parse(order.expiresAt));
}
