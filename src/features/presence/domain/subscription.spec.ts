import { describe, expect, it } from '@jest/globals';
import type { LastAck, LastBirth, RefusalCount } from '../diagnostics/diagnostics.types.js';
import { subscriptionOf } from './subscription.js';

const at = (second: number): Date => new Date(second * 1_000);
const birth = (second: number): LastBirth => ({ at: at(second), boot: 'b', uptimeMs: 1, firmwareVersion: null });
const ack = (second: number): LastAck => ({
  commandId: 'c',
  name: 'lock_door',
  at: at(second),
  state: 'EXECUTED',
  errorCode: null,
  errorMessage: null,
});
const refusal = (code: string, second: number): RefusalCount => ({
  code,
  count: 1,
  firstSeenAt: at(0),
  lastSeenAt: at(second),
  detail: null,
});

describe('subscriptionOf', () => {
  it.each([
    ['nothing', null, null, [], 'unknown', null],
    ['an ack since the birth', birth(1), ack(2), [], 'subscribed', at(2)],
    ['an ack before the birth', birth(3), ack(2), [], 'unknown', null],
    ['an order without a subscriber', birth(1), null, [refusal('not_subscribed', 2)], 'not_subscribed', at(2)],
    ['one from before the birth', birth(3), null, [refusal('not_subscribed', 2)], 'unknown', null],
    ['both, the ack last', birth(1), ack(3), [refusal('not_subscribed', 2)], 'subscribed', at(3)],
    ['both, the ack first', birth(1), ack(2), [refusal('not_subscribed', 3)], 'not_subscribed', at(3)],
    ['another refusal', birth(1), null, [refusal('bad_reading', 2)], 'unknown', null],
    ['an ack of a device whose birth is not known', null, ack(2), [], 'subscribed', at(2)],
  ] as const)('knows by %s', (_, lastBirth, lastAck, refusals, state, seenAt) => {
    expect(subscriptionOf({ lastBirth, lastAck, refusals })).toEqual({ state, at: seenAt });
  });
});
