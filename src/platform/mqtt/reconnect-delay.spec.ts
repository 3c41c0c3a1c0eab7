import { describe, expect, it } from '@jest/globals';
import { reconnectDelayMs } from './reconnect-delay.js';

describe('reconnectDelayMs', () => {
  it('starts short, grows, and is bounded', () => {
    expect(reconnectDelayMs(0)).toBeLessThanOrEqual(100);
    expect(reconnectDelayMs(3)).toBeGreaterThanOrEqual(400);
    for (const attempt of [10, 1_000, 1e9]) {
      expect(reconnectDelayMs(attempt)).toBeGreaterThanOrEqual(2_500);
      expect(reconnectDelayMs(attempt)).toBeLessThanOrEqual(5_000);
    }
  });
});
