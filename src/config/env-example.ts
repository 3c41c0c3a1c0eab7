import { rateLimitVariable } from './rate-limit.js';
import { SETTINGS } from './schema.js';
import { type Setting } from './settings.js';

/** What a category of rate limit counts, and its limit where no variable sets one. */
export interface RateLimitDefault {
  readonly description: string;
  readonly limit: string;
}

/** The text of `.env.example`, from the places where settings and rate limits are described. */
export function renderEnvExample(rateLimits: Readonly<Record<string, RateLimitDefault>>): string {
  const limits = Object.entries(rateLimits).map(
    ([category, { description, limit }]) => `# ${description}\n# ${rateLimitVariable(category)}=${limit}\n`,
  );
  const entries: Setting<unknown>[] = Object.values(SETTINGS);
  return entries
    .flatMap(({ variable, description, example, fallback }) => {
      const line = `${variable}=${example}`;
      const entry = `# ${description}\n${fallback === undefined ? line : `# ${line}`}\n`;
      return variable === 'RATE_LIMIT_SCALE' ? [...limits, entry] : [entry];
    })
    .join('\n');
}
