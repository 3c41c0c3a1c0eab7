import { describe, expect, it } from '@jest/globals';
import { UPLINK_CHANNELS } from '../../../contracts/mqtt.js';
import { CANARY_TURN, isUplink } from './canary-channels.js';
import { HearingRegistry } from './hearing-registry.js';

const uplinks = CANARY_TURN.filter(isUplink);

describe('HearingRegistry', () => {
  it.each([1, 2])('finds no silence where it hears one of %s rounds, as another process hears the others', (every) => {
    const hearing = new HearingRegistry();
    for (let n = 0; n < 500; n++) {
      const channel = uplinks[n % uplinks.length]!;
      hearing.published(channel);
      if (Math.floor(n / uplinks.length) % every === 0) {
        hearing.heard(channel);
      }
      expect(hearing.silent).toEqual([]);
    }
  });

  it('tells of a line on which nothing arrives, and asks for the subscriptions again and again', () => {
    const hearing = new HearingRegistry();
    let asked = 0;
    hearing.onSilent(() => {
      asked += 1;
    });
    for (let n = 0; n < 16; n++) {
      expect(hearing.silent).toEqual([]);
      hearing.published(uplinks[n % uplinks.length]!);
    }
    expect(hearing.silent).toEqual(UPLINK_CHANNELS);
    for (let n = 0; n < 16; n++) {
      hearing.published(uplinks[n % uplinks.length]!);
    }
    expect(asked).toBe(2);
    hearing.heard('events');
    expect(hearing.silent).toEqual([]);
  });

  it('tells of one channel beside others that are heard', () => {
    const hearing = new HearingRegistry();
    for (let n = 0; n < 200; n++) {
      const channel = uplinks[n % uplinks.length]!;
      hearing.published(channel);
      if (channel !== 'acks') {
        hearing.heard(channel);
      }
    }
    expect(hearing.silent).toEqual(['acks']);
  });
});
