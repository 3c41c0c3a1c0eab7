import { describe, expect, it } from '@jest/globals';
import { requestIdOf, traceIdOf } from './trace-context.js';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';

describe('traceIdOf (W3C Trace Context)', () => {
  it('takes the trace id of a well-formed header', () => {
    expect(traceIdOf(`00-${TRACE_ID}-00f067aa0ba902b7-01`)).toBe(TRACE_ID);
  });

  it.each([[undefined], [''], [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`], [`01-${TRACE_ID}`], [[`00-${TRACE_ID}`]]])(
    'ignores %p',
    (header) => {
      expect(traceIdOf(header)).toBeUndefined();
    },
  );
});

describe('requestIdOf', () => {
  it('keeps what a caller may choose, and nothing that could forge a log line', () => {
    expect(requestIdOf('abc-123')).toBe('abc-123');
    expect(requestIdOf('a\nb')).toBeUndefined();
    expect(requestIdOf('x'.repeat(129))).toBeUndefined();
    expect(requestIdOf(['a'])).toBeUndefined();
  });
});
