import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../config/load-config.js';
import { PLATFORM_RATE_LIMITS } from './platform-rate-limits.js';
import { RateLimitRegistry } from './rate-limit-registry.js';

function registryWith(env: Record<string, string> = {}): RateLimitRegistry {
  const config = loadConfig({
    DATABASE_URL: 'postgresql://mortise@localhost/mortise',
    REDIS_URL: 'redis://localhost:6379',
    MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
    ...env,
  });
  const registry = new RateLimitRegistry(config);
  registry.register(PLATFORM_RATE_LIMITS);
  return registry;
}

describe('RateLimitRegistry', () => {
  it('has the default of a category, or what the environment sets, and multiplies both', () => {
    const registry = registryWith({ RATE_LIMIT_SCALE: '0.5', RATE_LIMIT_USER: '1/2m+3' });
    expect(registry.policyOf('anonymous')).toEqual({ limit: 50, windowMs: 60_000, burst: 0 });
    expect(registry.policyOf('user')).toEqual({ limit: 1, windowMs: 120_000, burst: 2 });
    expect(registryWith().policyOf('user')).toEqual({ limit: 500, windowMs: 60_000, burst: 50 });
  });

  it('refuses a category that is registered twice, or not at all', () => {
    const registry = registryWith();
    expect(() => {
      registry.register(PLATFORM_RATE_LIMITS);
    }).toThrow('"anonymous" is registered twice');
    expect(() => registry.policyOf('unlock')).toThrow('No rate limit "unlock"');
  });

  it('names the variables that set a limit of no category', () => {
    const registry = registryWith({ RATE_LIMIT_USER: '1/1m', RATE_LIMIT_DOORS: '1/1m' });
    expect(registry.unknownVariables()).toEqual(['RATE_LIMIT_DOORS']);
  });
});
