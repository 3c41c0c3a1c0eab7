import { describe, expect, it } from '@jest/globals';
import { isLineLoss } from './line-loss.js';

describe('isLineLoss', () => {
  it.each<[boolean, string, object]>([
    [true, 'read ECONNRESET', { code: 'ECONNRESET', syscall: 'read' }],
    [true, 'write EPIPE', { code: 'EPIPE', syscall: 'write' }],
    [true, 'read ETIMEDOUT', { code: 'ETIMEDOUT', syscall: 'read' }],
    [true, 'Premature close', { code: 'ERR_STREAM_PREMATURE_CLOSE' }],
    [true, 'keep alive timeout', {}],
    [true, 'drain timeout', {}],
    [true, 'connection closed', {}],
    [false, 'The value of "offset" is out of range.', { code: 'ERR_OUT_OF_RANGE' }],
    [false, 'Invalid protocol', {}],
    [false, 'topic has too many levels', {}],
  ])('is %s for %s', (expected, message, more) => {
    expect(isLineLoss(Object.assign(new Error(message), more))).toBe(expected);
  });
});
