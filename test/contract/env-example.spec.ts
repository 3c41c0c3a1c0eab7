import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { renderEnvExample } from '../../src/config/env-example.js';
import { RateLimitRegistry } from '../../src/platform/rate-limit/rate-limit-registry.js';
import { readFromApplication } from '../../tools/built-application.js';

describe('.env.example', () => {
  it('is what the settings and the rate limits of the features say (write it anew with `npm run env:example`)', async () => {
    const limits = await readFromApplication((app) => app.get(RateLimitRegistry).all());
    expect(await readFile('.env.example', 'utf8')).toBe(renderEnvExample(limits));
  });
});
