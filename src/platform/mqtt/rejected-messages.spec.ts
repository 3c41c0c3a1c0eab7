import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import { deviceTopic } from '../../contracts/mqtt.js';
import { DeadlineExceededError } from '../../shared/deadline.js';
import { BatcherFullError } from '../batching/micro-batcher.js';
import { problemOf } from '../http/problems/problem.js';
import { Metrics } from '../metrics/metrics.js';
import { RejectedMessages } from './rejected-messages.js';

describe('RejectedMessages', () => {
  const weightOf = (code: string): number | undefined => {
    const logger = { setContext: () => undefined, warn: () => undefined } as unknown as PinoLogger;
    const refusals = new RejectedMessages(logger, new Metrics());
    let weight: number | undefined;
    refusals.onRefusal((refusal) => {
      weight = refusal.weight;
    });
    refusals.message(code, deviceTopic(randomUUID(), 'acks'));
    return weight;
  };

  it.each([
    ['the database is away', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })],
    ['no connection is free', new Error('timeout exceeded when trying to connect')],
    ['it took too long', new DeadlineExceededError(10_000)],
    ['too much waits', new BatcherFullError()],
    ['a mistake of ours', new Error('a mistake of ours')],
  ])('blames no device for what failed on our side: %s', (_what, error) => {
    expect(weightOf(problemOf(error).code)).toBe(0);
  });

  it.each(['too_many_events', 'too_many_events_today', 'too_many_waiting', 'too_many_messages_of_owner'])(
    'blames no device for what it shall send again, or others caused: %s',
    (code) => {
      expect(weightOf(code)).toBe(0);
    },
  );

  it('blames a device for what the protocol does not say', () => {
    expect(weightOf('invalid_request')).toBe(1);
  });
});
