import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { MqttClient } from 'mqtt';
import { PingClock } from './ping-clock.js';

function build() {
  const client = new EventEmitter();
  let now = 0;
  const clock = new PingClock(client as unknown as MqttClient, () => now);
  return {
    at: (ms: number): void => {
      now = ms;
    },
    sends: (cmd: string): boolean => client.emit('packetsend', { cmd }),
    receives: (cmd: string): boolean => client.emit('packetreceive', { cmd, qos: 1 }),
    waited: (): number => clock.waitedMs,
  };
}

describe('PingClock', () => {
  it('finds nothing old while pings are answered, though the process is busy for a while', () => {
    const line = build();
    for (let second = 1; second <= 60; second++) {
      line.at(second * 1_000);
      line.sends('pingreq');
      line.at(second * 1_000 + 900);
      line.receives('pingresp');
      expect(line.waited()).toBe(0);
    }
    line.at(64_000);
    expect(line.waited()).toBe(0);
  });

  it('takes what is read after a standstill for as old as the last answered ping, until the next one is answered', () => {
    const line = build();
    line.sends('pingreq');
    line.receives('pingresp');
    line.at(1_000);
    line.sends('pingreq');
    line.at(22_000);
    line.sends('pingreq');
    expect(line.waited()).toBe(22_000);
    // The answer to the ping before the standstill.
    line.receives('pingresp');
    expect(line.waited()).toBe(21_000);
    line.receives('publish');
    expect(line.waited()).toBe(21_000);
    line.receives('pingresp');
    expect(line.waited()).toBe(0);
  });

  it('takes what comes from the queue of the broker for as old, behind the answers to new pings, until a window is not full', () => {
    const line = build();
    const receiveWindow = (): void => {
      for (let message = 0; message < 10; message++) {
        line.receives('publish');
      }
    };
    line.sends('pingreq');
    line.receives('pingresp');
    line.at(6_000);
    line.sends('pingreq');
    receiveWindow();
    line.receives('pingresp');
    line.receives('publish');
    expect(line.waited()).toBe(6_000);

    line.at(7_000);
    line.sends('pingreq');
    receiveWindow();
    line.receives('pingresp');
    expect(line.waited()).toBe(7_000);

    line.at(8_000);
    line.sends('pingreq');
    line.receives('publish');
    line.receives('pingresp');
    line.receives('publish');
    expect(line.waited()).toBe(0);
  });

  it('does not take a process for one that catches up for ever because its line is never quiet', () => {
    const line = build();
    line.at(20_000);
    for (let second = 20; second <= 51; second++) {
      line.at(second * 1_000);
      line.sends('pingreq');
      for (let message = 0; message < 100; message++) {
        line.receives('publish');
      }
      line.receives('pingresp');
      expect(line.waited()).toBe(second < 50 ? second * 1_000 : 0);
    }
  });

  it('knows that nothing on a new connection is older than the connection', () => {
    const line = build();
    line.sends('pingreq');
    line.at(60_000);
    line.sends('connect');
    expect(line.waited()).toBe(0);
    line.at(70_000);
    expect(line.waited()).toBe(10_000);
    line.receives('pingresp');
    expect(line.waited()).toBe(10_000);
  });
});
