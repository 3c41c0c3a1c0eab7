import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { renderEnvExample } from '../../src/config/env-example.js';

describe('.env.example', () => {
  it('is what the settings say (write it anew with `npm run env:example`)', async () => {
    expect(await readFile('.env.example', 'utf8')).toBe(renderEnvExample());
  });
});
