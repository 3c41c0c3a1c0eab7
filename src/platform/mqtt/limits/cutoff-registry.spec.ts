import { describe, expect, it } from '@jest/globals';
import type { AppConfig } from '../../../config/app-config.js';
import type { Clock } from '../../../shared/clock.js';
import { Metrics } from '../../metrics/metrics.js';
import type { SignalBus } from '../../redis/signal-bus.js';
import { CutoffRegistry, type Cutoff } from './cutoff-registry.js';

/** Delivers at once, to the processes that share it. */
class Signals {
  readonly #handlers: ((body: object) => void)[] = [];
  on = (_name: string, handler: (body: object) => void): void => void this.#handlers.push(handler);
  publish = (_name: string, body: object): void => {
    this.#handlers.forEach((handler) => {
      handler(body);
    });
  };
}

function build(signals = new Signals()) {
  let now = 0;
  const cuts: Cutoff[] = [];
  const registry = new CutoffRegistry(
    { rateLimitScale: 1 } as AppConfig,
    { monotonic: () => now } as Clock,
    new Metrics(),
    signals as unknown as SignalBus,
  );
  registry.onModuleInit();
  registry.onCut((cut) => cuts.push(cut));
  const strike = (times: number): void => {
    for (let index = 0; index < times; index++) {
      registry.strike('a', 'malformed_json');
    }
  };
  return { registry, cuts, strike, pass: (ms: number) => (now += ms) };
}

describe('CutoffRegistry', () => {
  it('cuts a device that goes on, once, and lets it come back', () => {
    const { registry, cuts, strike, pass } = build();
    strike(300);
    expect(registry.isCut('a')).toBe(false);
    strike(300);
    expect(cuts).toEqual([{ deviceId: 'a', code: 'malformed_json', forMs: 60_000 }]);
    expect([registry.isCut('a'), registry.isCut('b')]).toEqual([true, false]);
    pass(60_000);
    expect(registry.isCut('a')).toBe(false);
  });

  it('cuts it for twice as long each time, an hour at most, until it behaved for long', () => {
    const { cuts, strike, pass } = build();
    for (let round = 0; round < 8; round++) {
      strike(301);
      pass(cuts.at(-1)?.forMs ?? 0);
    }
    expect(cuts.map(({ forMs }) => forMs / 60_000)).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    pass(7 * 3_600_000);
    strike(301);
    expect(cuts.at(-1)?.forMs).toBe(60_000);
  });

  it('tells the other processes, which take the next cut for the second', () => {
    const signals = new Signals();
    const [here, there] = [build(signals), build(signals)];
    here.strike(301);
    expect([there.registry.isCut('a'), there.cuts]).toEqual([true, []]);
    [here, there].forEach(({ pass }) => pass(60_000));
    there.strike(301);
    expect(there.cuts).toEqual([{ deviceId: 'a', code: 'malformed_json', forMs: 120_000 }]);
  });

  it('forgives what comes now and then: an event sent again each minute, a bad reading in every heartbeat', () => {
    const { cuts, strike, pass } = build();
    for (let index = 0; index < 10_000; index++) {
      strike(1);
      pass(5_000);
    }
    expect(cuts).toEqual([]);
  });
});
