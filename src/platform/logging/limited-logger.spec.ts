import { describe, expect, it } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import { LimitedLogger } from './limited-logger.js';

function setup() {
  const lines: Record<string, unknown>[] = [];
  const write = (fields: Record<string, unknown>): number => lines.push(fields);
  return { lines, log: new LimitedLogger({ warn: write, error: write } as unknown as PinoLogger) };
}

describe('LimitedLogger', () => {
  it('writes a few lines of a kind, and says how many it left out', () => {
    const { lines, log } = setup();
    for (let index = 0; index < 50; index++) {
      log.error('failed', { index }, 'It failed');
    }
    log.warn('other', {}, 'Something else');
    // Fewer than a hundred, should a second end meanwhile.
    expect(lines.length).toBeLessThanOrEqual(8);
    expect(lines.at(-1)).toEqual({ unlogged: expect.any(Number) });
  });

  it('cuts texts, however deep they are, and leaves errors as they are', () => {
    const { lines, log } = setup();
    const long = 'x'.repeat(65_000);
    const err = new Error('as it is');
    log.warn('refused', { topic: long, errors: [{ pointer: long, count: 2 }], err, deviceId: undefined }, 'Refused');
    const cut = 'x'.repeat(200);
    expect(lines).toEqual([{ topic: cut, errors: [{ pointer: cut, count: 2 }], err, deviceId: undefined }]);
  });
});
