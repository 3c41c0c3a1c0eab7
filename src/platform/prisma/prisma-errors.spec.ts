import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { isDatabaseUnavailable } from './prisma-errors.js';

const withCode = (code: string): Error => Object.assign(new Error('inside'), { code });
const stateOf = (code: string): Error => Object.assign(new pg.DatabaseError('inside', 6, 'error'), { code });

const named = (error: unknown): [string, unknown] => {
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  return [code ?? message ?? String(error), error];
};

describe('isDatabaseUnavailable', () => {
  it.each(
    [
      ...['57P01', '57P03', '53300', '53400', '08006', '08P01', '57014', '25P03', '25006', '40001', '40P01'].map(
        stateOf,
      ),
      ...['P1001', 'P1008', 'P1017', 'P2024', 'P2028', 'P2034'].map(withCode),
      ...['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'].map(withCode),
      new Error('timeout exceeded when trying to connect'),
      new Error('Connection terminated unexpectedly'),
      new Error('Client has encountered a connection error and is not queryable'),
      new Error('Query read timeout'),
      new AggregateError([withCode('ECONNREFUSED'), withCode('EHOSTUNREACH')]),
      Object.assign(new Error('Prisma'), {
        code: 'P2010',
        meta: { driverAdapterError: { cause: { originalCode: '57P01' } } },
      }),
      Object.assign(new Error('Prisma'), { meta: { driverAdapterError: { cause: { kind: 'DatabaseNotReachable' } } } }),
      new Error('wrapped', { cause: new Error('again', { cause: withCode('ECONNREFUSED') }) }),
    ].map(named),
  )('is said by %s', (_name, error) => {
    expect(isDatabaseUnavailable(error)).toBe(true);
  });

  it.each(
    [
      ...['23505', '42P01', '42601', '22P02', '28P01', '3D000', 'XX000'].map(stateOf),
      ...['P2002', 'P2025', 'ENOENT'].map(withCode),
      new Error('something else'),
      'a text',
      undefined,
    ].map(named),
  )('is not said by %s', (_name, error) => {
    expect(isDatabaseUnavailable(error)).toBe(false);
  });

  it('ends with an error that wraps itself', () => {
    const error: Error & { cause?: unknown } = new Error('inside');
    error.cause = error;
    expect(isDatabaseUnavailable(error)).toBe(false);
  });
});
