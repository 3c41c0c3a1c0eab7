import { type ObservedOrder } from './order-subscriber.js';
import { type Order, type SignedOrder } from '../../src/contracts/orders.js';

/** A signed order as JSON, wherever it is in a stream of MQTT packets. */
const SIGNED = /\{"order":"(?:[^"\\]|\\.)*","kid":"[^"]*","signature":"[^"]*"\}/g;
const LONGEST = 8_192;

/** Reads the orders out of the bytes that go to a broker, with the time of each. */
export class OrderSniffer {
  readonly seen: ObservedOrder[] = [];

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
          at: Date.now(),
        });
        end = match.index + bytes.length;
      }
      unread = unread.slice(end).slice(-LONGEST);
    };
  }
}

/** Orders that came at or past their deadline. */
export function lateOrders(seen: readonly ObservedOrder[]): ObservedOrder[] {
  return seen.filter(({ order, at }) => at >= Date.parse(order.expiresAt));
}
