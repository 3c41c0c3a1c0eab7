import { describe, expect, it } from '@jest/globals';
import { fitOf } from './feed-order.js';

const at = (id: bigint) => ({ xid: 7n, id });

describe('an entry of the feed', () => {
  it('is next when the one before it was delivered', () => {
    expect(fitOf({ position: at(5n), previous: at(4n) }, at(4n))).toBe('next');
  });

  it('is seen when it was delivered, or lies before what was', () => {
    expect(fitOf({ position: at(4n), previous: at(3n) }, at(4n))).toBe('seen');
    expect(fitOf({ position: at(2n), previous: at(1n) }, at(4n))).toBe('seen');
  });

  it('shows a gap when the one before it was not delivered', () => {
    expect(fitOf({ position: at(6n), previous: at(5n) }, at(4n))).toBe('gap');
    expect(fitOf({ position: { xid: 8n, id: 1n }, previous: at(5n) }, at(4n))).toBe('gap');
  });

  it('is next, too, when the relay began further back than the reader', () => {
    expect(fitOf({ position: at(5n), previous: at(2n) }, at(4n))).toBe('next');
  });
});
