import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AppConfig } from '../../src/config/app-config.js';
import { BrokerClientFactory } from '../../src/platform/mqtt/broker-client-factory.js';
import type { EvictionRegistry } from '../../src/platform/mqtt/line/eviction-registry.js';
import { type Mosquitto, startMosquitto } from '../support/mosquitto.js';
import { scaled } from '../support/promise.js';
import { eventually } from '../support/wait.js';

/** The default at full scale. */
const KEEPALIVE_MS = scaled(2_000, 5_000);
const TIMES = scaled(1, 3);

let broker: Mosquitto;

beforeAll(async () => {
  broker = await startMosquitto({ settings: ['allow_anonymous true'] });
});

afterAll(() => broker.stop());

function factory(): BrokerClientFactory {
  const mqtt = { brokerUrl: broker.url, username: '', password: '', keepaliveMs: KEEPALIVE_MS, host: '', port: 0 };
  return new BrokerClientFactory({ mqtt } as AppConfig, { watch: () => undefined } as unknown as EvictionRegistry);
}

/**
 * Seen to fail with the pings of mqtt.js alone: it gives the answer half of the keep-alive to be read, and when the processor is
 * free again, that is over before the socket is looked at.
 */
describe('the keep-alive', () => {
  it('does not take a process whose processor is busy for as long for one that stands still, also from its ping on', async () => {
    const client = await factory().connect('busy', { reconnectPeriod: 0 });
    let closed = 0;
    client.on('close', () => {
      closed += 1;
    });
    client.on('error', () => undefined);
    await eventually('it is connected', () => client.connected);
    let times = 0;
    client.on('packetsend', ({ cmd }) => {
      if (cmd === 'pingreq' && times < TIMES) {
        // Right behind the timer of mqtt.js, which within it would start over afterwards.
        process.nextTick(() => {
          const until = performance.now() + KEEPALIVE_MS;
          while (performance.now() < until) {
            // The processor is busy, and nothing else runs.
          }
          times += 1;
        });
      }
    });
    await eventually('it was busy', () => times === TIMES);
    await client.subscribeAsync('still/here');
    expect(closed).toBe(0);
    await client.endAsync(true);
  }, 60_000);
});
