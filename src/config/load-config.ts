import { AppConfig } from './app-config.js';
import { categoryOf, isRateLimitVariable, parseRateLimit, type RateLimit } from './rate-limit.js';
import { type Settings, SETTINGS } from './schema.js';
import { type Setting } from './settings.js';

/** All that is wrong with the configuration, at once, without the value of any secret. */
export class ConfigurationError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      `The configuration has ${String(problems.length)} problem(s):\n${problems.map((line) => `  - ${line}`).join('\n')}`,
    );
    this.name = 'ConfigurationError';
  }
}

/** Reads and validates the whole configuration. @throws ConfigurationError that lists every problem. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): AppConfig {
  const problems: string[] = [];
  const entries = Object.entries(SETTINGS).map(([name, setting]) => {
    try {
      return [name, read(setting, env)];
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
      return [name, undefined];
    }
  });
  const settings = Object.fromEntries(entries) as Settings;
  const overrides = rateLimitsOf(env, problems);
  problems.push(...contradictions(settings));
  if (problems.length > 0) {
    throw new ConfigurationError(problems);
  }
  return new AppConfig(settings, overrides);
}

function rateLimitsOf(
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): Readonly<Record<string, RateLimit>> {
  const limits = Object.entries(env).flatMap(([variable, raw]) => {
    if (raw === undefined || raw === '' || !isRateLimitVariable(variable)) {
      return [];
    }
    try {
      return [[categoryOf(variable), parseRateLimit(raw)] as const];
    } catch (error) {
      problems.push(`${variable}=${JSON.stringify(raw)} ${error instanceof Error ? error.message : 'is invalid'}.`);
      return [];
    }
  });
  return Object.freeze(Object.fromEntries(limits));
}

/** What is right by itself, and wrong beside something else. */
function contradictions({ environment, masterKey, mailLogLinks }: Partial<Settings>): string[] {
  return [
    ...(environment !== 'test' && masterKey?.every((byte) => byte === 0)
      ? ['MASTER_KEY=[redacted] must not be all zeros: openssl rand -base64 32.']
      : []),
    ...(environment === 'production' && mailLogLinks
      ? ['MAIL_LOG_LINKS=1 must not be set with NODE_ENV=production: the links in the log are as good as passwords.']
      : []),
  ];
}

function read(setting: Setting<unknown>, env: Readonly<Record<string, string | undefined>>): unknown {
  const raw = env[setting.variable];
  if (raw === undefined || (raw === '' && setting.fallback !== undefined)) {
    if (setting.fallback === undefined) {
      throw new Error(`${setting.variable} is missing. ${setting.description} Example: ${setting.example}`);
    }
    return setting.fallback;
  }
  try {
    return setting.parse(raw);
  } catch (error) {
    const shown = setting.secret ? '[redacted]' : JSON.stringify(raw);
    throw new Error(`${setting.variable}=${shown} ${error instanceof Error ? error.message : 'is invalid'}.`, {
      cause: error,
    });
  }
}
