import { rateLimitVariable } from './rate-limit.js';
import { SETTINGS } from './schema.js';
import { DOCS } from './settings.js';

/** What a category of rate limit counts, and its limit where no variable sets one. */
export interface RateLimitDefault {
  readonly description: string;
  readonly limit: string;
}

/** The text of `.env.example`, from the places where settings and rate limits are described. */
export function renderEnvExample(rateLimits: Readonly<Record<string, RateLimitDefault>>): string {
  const limits = Object.entries(rateLimits).map(([category, { description, limit }]) =>
    entryOf(description, `# ${rateLimitVariable(category)}=${limit}`),
  );
  const settings = Object.entries(SETTINGS.shape).flatMap(([variable, schema]) => {
    const { description = '', example = '' } = DOCS.get(schema) ?? {};
    const isOptional = schema.safeParse(undefined).success;
    const entry = entryOf(description, `${isOptional ? '# ' : ''}${variable}=${example}`);
    return variable === 'RATE_LIMIT_SCALE' ? [...limits, entry] : [entry];
  });
  return settings.join('\n');
}

function entryOf(description: string, line: string): string {
  return `# ${description}\n${line}\n`;
}
