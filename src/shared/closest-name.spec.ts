import { describe, expect, it } from '@jest/globals';
import { closestName } from './closest-name.js';

const KNOWN = ['subscribe_device', 'unsubscribe_device', 'ping'];

describe('closestName', () => {
  it.each<[string, string | undefined]>([
    ['subscribeDevice', 'subscribe_device'],
    ['SUBSCRIBE-DEVICE', 'subscribe_device'],
    ['subscribe_devices', 'subscribe_device'],
    ['unsubscribe_devic', 'unsubscribe_device'],
    ['pinc', 'ping'],
    ['pin', undefined],
    ['open_door', undefined],
    ['', undefined],
    ['toString', undefined],
    [`subscribe_device${' '.repeat(60)}`, undefined],
  ])('finds what %p may mean', (name, meant) => {
    expect(closestName(name, KNOWN)).toBe(meant);
  });

  it('finds nothing where there is nothing', () => {
    expect(closestName('ping', [])).toBeUndefined();
  });
});
