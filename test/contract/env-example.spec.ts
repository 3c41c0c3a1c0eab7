import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { renderEnvExample } from '../../src/config/env-example.js';
import { ConfigurationError, loadConfig } from '../../src/config/load-config.js';
import { RateLimitRegistry } from '../../src/platform/rate-limit/rate-limit-registry.js';
import { readFromApplication } from '../../tools/built-application.js';

const REQUIRED = {
  DATABASE_URL: 'postgresql://mortise@localhost/mortise',
  REDIS_URL: 'redis://localhost',
  MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
};

/** The variables of lines that begin as `start` says. */
async function variables(start: RegExp): Promise<Record<string, string>> {
  const lines = (await readFile('.env.example', 'utf8')).split('\n').filter((line) => start.test(line));
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = '', value = ''] = /^(?:# )?([^=]*)=(.*)$/.exec(line) ?? [];
      return [name, value];
    }),
  );
}

/** Everything that was read, what the configuration hides included. */
function told(env: Record<string, string>): string {
  const config = loadConfig(env);
  return JSON.stringify([config, config.mail.smtpUrl(), config.masterKey().toString('base64')]);
}

describe('.env.example', () => {
  it('is what the settings and the rate limits of the features say (write it anew with `npm run env:example`)', async () => {
    const limits = await readFromApplication((app) => app.get(RateLimitRegistry).all());
    expect(await readFile('.env.example', 'utf8')).toBe(renderEnvExample(limits));
  });

  it('changes nothing as a copy, but asks for what is required', async () => {
    const copy = await variables(/^[A-Z]/);
    expect(copy).toEqual({ DATABASE_URL: '', REDIS_URL: '', MASTER_KEY: '' });
    expect(() => loadConfig(copy)).toThrow(ConfigurationError);
    expect(told({ ...copy, ...REQUIRED })).toBe(told(REQUIRED));
  });

  it('shows the defaults: a line without its sign changes nothing either', async () => {
    const shown = await variables(/^# [A-Z_\d]+=/);
    expect(shown).toMatchObject({ NODE_ENV: 'development', PORT: '3000', DRAIN_TIMEOUT: '10s', REGISTRATION: '' });
    // What is set by category is listed where it is set, and has the same value: the registry renders both.
    const settings = Object.entries(shown).filter(([name]) => !/^RATE_LIMIT_(?!SCALE)/.test(name));
    expect(settings.length).toBeGreaterThan(40);
    expect(told({ ...Object.fromEntries(settings), ...REQUIRED })).toBe(told(REQUIRED));
  });
});
