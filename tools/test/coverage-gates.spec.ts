import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROOT } from '../stack/paths.js';
import { coverageGates, STRICTLY_COVERED } from './coverage-gates.js';

let root = '';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'mortise-gates-'));
  mkdirSync(join(root, 'src', 'doors'), { recursive: true });
});

afterAll(() => {
  rmSync(root, { recursive: true });
});

describe('the coverage gates', () => {
  it('ask more of the paths on the list, all of which are there', () => {
    expect(coverageGates(ROOT)).toMatchObject({ global: { lines: 80, branches: 80 } });
    expect(Object.keys(coverageGates(ROOT))).toEqual(['global', ...STRICTLY_COVERED.map((path) => `./${path}`)]);
  });

  it('refuse a list with a path that is missing, and name it', () => {
    expect(coverageGates(root, ['src/doors'])).toMatchObject({ './src/doors': { lines: 95, branches: 95 } });
    expect(() => coverageGates(root, ['src/doors', 'src/moved'])).toThrow(
      'No such path for the coverage gate: src/moved. Correct the list in tools/test/coverage-gates.ts.',
    );
  });
});
