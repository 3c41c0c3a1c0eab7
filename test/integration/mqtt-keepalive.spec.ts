import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AppConfig } from '../../src/config/app-config.js';
import { BrokerClientFactory } from '../../src/platform/mqtt/broker-client-factory.js';
import { type Mosquitto, startMosquitto } from '../support/mosquitto.js';
import { scaled } from '../support/promise.js';
import { eventually } from '../support/wait.js';

/** The default at full scale. */
const KEEPALIVE_MS = scaled(2_000, 5_000);
const TIMES = scaled(3, 10);

let broker: Mosquitto;

beforeAll(async () => {
  broker = await startMosquitto({ settings: ['allow_anonymous true'] });
});

afterAll(() => broker.stop());

function factory(): BrokerClientFactory {
  const mqtt = { brokerUrl: broker.url, username: '', password: '', keepaliveMs: KEEPALIVE_MS, host: '', port: 0 };
  return new BrokerClientFactory({ mqtt } as AppConfig);
}

/** Seen to fail with the pings of mqtt.js alone: Mosquitto ends the connection, or mqtt.js does for want of an answer. */
describe('the keep-alive', () => {
  it('does not take a process whose processor is busy for as long for one that stands still', async () => {
    const client = await factory().connect('busy', { reconnectPeriod: 0 });
    let closed = 0;
    client.on('close', () => {
      closed += 1;
    });
    client.on('error', () => undefined);
    await eventually('it is connected', () => client.connected);
    for (let time = 0; time < TIMES; time += 1) {
      const pings = broker.log().split('Received PINGREQ').length;
      await eventually('it has pinged', () => broker.log().split('Received PINGREQ').length > pings);
      const until = performance.now() + KEEPALIVE_MS;
      while (performance.now() < until);
    }
    await client.subscribeAsync('still/here');
    expect(closed).toBe(0);
    await client.endAsync(true);
  });
});
