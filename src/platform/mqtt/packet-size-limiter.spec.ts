import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PacketSizeLimiter } from './packet-size-limiter.js';

const MAX = 1_000;

/** A control packet with `length` bytes after its header. */
function packet(length: number): Buffer {
  const header = [0x30];
  let rest = length;
  do {
    header.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from(header), Buffer.alloc(length, 0xff)]);
}

function split(stream: Buffer, cuts: readonly number[]): Buffer[] {
  const positions = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b);
  return [0, ...positions].map((start, index) => stream.subarray(start, positions[index] ?? stream.length));
}

describe('PacketSizeLimiter', () => {
  it('lets packets up to the limit through, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(MAX), { minLength: 1, maxLength: 20 }), fc.array(fc.nat()), (lengths, cuts) => {
        const gate = new PacketSizeLimiter(MAX);
        expect(split(Buffer.concat(lengths.map(packet)), cuts).every((chunk) => gate.accept(chunk).allowed)).toBe(true);
      }),
    );
  });

  it('says no as soon as a longer one is announced, wherever in the stream', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(MAX), { maxLength: 5 }),
        fc.integer({ min: MAX + 1, max: 300_000 }),
        fc.array(fc.nat()),
        (lengths, long, cuts) => {
          const gate = new PacketSizeLimiter(MAX);
          const before = Buffer.concat(lengths.map(packet));
          const header = packet(long).subarray(0, packet(long).length - long);
          expect(split(Buffer.concat([before, header]), cuts).every((chunk) => gate.accept(chunk).allowed)).toBe(false);
        },
      ),
    );
  });

  it('says no to a length of more than four bytes', () => {
    expect(new PacketSizeLimiter(MAX).accept(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x00])).allowed).toBe(false);
  });

  it('stops at the end of as many packets as asked for, and goes on there', () => {
    const gate = new PacketSizeLimiter(MAX);
    const stream = Buffer.concat([packet(10), packet(200), packet(0), packet(5)]);
    const first = gate.accept(stream, 2);
    expect(first).toEqual({ allowed: true, packets: 2, bytes: packet(10).length + packet(200).length });
    expect(gate.accept(stream.subarray(first.bytes), 2)).toMatchObject({
      packets: 2,
      bytes: stream.length - first.bytes,
    });
  });
});
