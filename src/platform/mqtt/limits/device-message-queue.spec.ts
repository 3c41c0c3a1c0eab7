import { describe, expect, it } from '@jest/globals';
import { Metrics } from '../../metrics/metrics.js';
import { DeviceMessageQueue } from './device-message-queue.js';

/** Work that stays under way until it is told to end. */
function build() {
  const queue = new DeviceMessageQueue(new Metrics());
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const offer = (device: string): boolean =>
    queue.offer(device, 100, () => {
      started.push(device);
      return new Promise((resolve) => ends.push(resolve));
    });
  const endAll = async (): Promise<void> => {
    ends.splice(0).forEach((end) => {
      end();
    });
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { queue, started, offer, endAll };
}

describe('DeviceMessageQueue', () => {
  it('has at most 64 messages of a device in process, and starts those of another at once', async () => {
    const { queue, started, offer, endAll } = build();
    for (let index = 0; index < 200; index++) {
      offer('hostile');
    }
    offer('stranger');
    expect(started.filter((device) => device === 'hostile')).toHaveLength(64);
    expect(started.at(-1)).toBe('stranger');
    await endAll();
    expect(started).toHaveLength(64 + 1 + 64);
    while (started.length < 201) {
      await endAll();
    }
    await endAll();
    await queue.drained();
  });

  it('lets devices take turns when everything is busy', async () => {
    const { started, offer, endAll } = build();
    const devices = Array.from({ length: 20 }, (_, index) => `hostile-${String(index)}`);
    for (let round = 0; round < 100; round++) {
      devices.forEach(offer);
    }
    expect(started).toHaveLength(1_000);
    offer('stranger');
    await endAll();
    expect(started.indexOf('stranger')).toBeGreaterThan(999);
    expect(started.indexOf('stranger')).toBeLessThan(1_000 + devices.length + 1);
  });

  it('refuses a device that has too much waiting, and never makes its caller wait', () => {
    const { queue, offer } = build();
    const taken = Array.from({ length: 5_000 }, () => offer('hostile')).filter(Boolean);
    expect(taken).toHaveLength(4_064);
    expect([queue.isCrowded('hostile'), queue.isCrowded('stranger')]).toEqual([true, false]);
    expect(offer('stranger')).toBe(true);
  });

  it('keeps some room for devices with few messages, however many are hostile', () => {
    const { offer } = build();
    for (let index = 0; index < 10 * 5_000; index++) {
      offer(`hostile-${String(index % 10)}`);
    }
    expect(offer('hostile-0')).toBe(false);
    expect(Array.from({ length: 5 }, () => offer('stranger'))).toEqual([true, true, true, true, true]);
  });
});
