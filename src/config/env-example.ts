import { SETTINGS } from './schema.js';
import { type Setting } from './settings.js';

/** The text of `.env.example`, from the one place where settings are described. */
export function renderEnvExample(): string {
  const entries: Setting<unknown>[] = Object.values(SETTINGS);
  return entries
    .map(({ variable, description, example, fallback }) => {
      const line = `${variable}=${example}`;
      return `# ${description}\n${fallback === undefined ? line : `# ${line}`}\n`;
    })
    .join('\n');
}
