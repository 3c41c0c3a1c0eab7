import { describe, expect, it } from '@jest/globals';
import { redact } from './redact.js';

describe('redact', () => {
  it('hides secrets wherever they turn up', () => {
    const fields = { user: 'ada', token: 't', body: { password: 'p', list: [{ pin: 1 }, { name: 'door' }] } };
    expect(redact(fields)).toEqual({
      user: 'ada',
      token: '[redacted]',
      body: { password: '[redacted]', list: [{ pin: '[redacted]' }, { name: 'door' }] },
    });
    expect(fields.body.password).toBe('p');
  });

  it('hides headers whatever their values are', () => {
    const headers = { authorization: 'Bearer x', 'set-cookie': ['a=1'], cookie: undefined, accept: '*/*' };
    expect(redact({ headers })).toEqual({
      headers: { authorization: '[redacted]', 'set-cookie': '[redacted]', cookie: '[redacted]', accept: '*/*' },
    });
  });

  it('gives back the very same object when there is nothing to hide', () => {
    const fields = { status: 200, at: new Date(0), nested: { deep: [1, 2] } };
    expect(redact(fields)).toBe(fields);
  });

  it('looks at bounded depth, also into what contains itself', () => {
    const circle: Record<string, unknown> = { name: 'round' };
    circle.self = circle;
    expect(redact(circle)).toBe(circle);
  });
});
