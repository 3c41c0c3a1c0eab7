import { afterEach, describe, expect, it } from '@jest/globals';
import { ofThisWorker } from '../support/environment.js';

const before = { ...process.env };

function asWorker(worker: string): string {
  Object.assign(process.env, { TEST_SERVICE_SETS: '2', TEST_THING_1: 'one', TEST_THING_2: 'two' });
  process.env.JEST_WORKER_ID = worker;
  return ofThisWorker('TEST_THING');
}

afterEach(() => {
  process.env = { ...before };
});

describe('the services of a Jest worker', () => {
  it('are its own', () => {
    expect(['1', '2'].map(asWorker)).toEqual(['one', 'two']);
  });

  it('are never those of another: a worker too many is told so', () => {
    expect(() => asWorker('3')).toThrow('There are services for 2 Jest workers; this is number 3.');
  });
});
