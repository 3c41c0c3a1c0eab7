import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ROOT } from '../stack/paths.js';
import { PROMISES } from './promise-list.js';
import { promiseSpecs } from './promise-specs.js';

const specs = promiseSpecs();

describe('the tests of promises', () => {
  it('are found by the name they carry: each that records a figure of a promise is run for it', () => {
    const recording = globSync('test/**/*.spec.ts', { cwd: ROOT }).flatMap((file) =>
      [...readFileSync(join(ROOT, file), 'utf8').matchAll(/promise: '(P-\d\d)'/g)].map(([, promise = '']) => ({
        file,
        promise,
      })),
    );
    expect(recording.length).toBeGreaterThan(20);
    expect(recording.filter(({ file, promise }) => specs.get(promise)?.includes(file) !== true)).toEqual([]);
  });

  it('carry no promise that nobody gave', () => {
    expect([...specs.keys()].filter((promise) => !(promise in PROMISES))).toEqual([]);
  });
});
