import { readFileSync, statSync } from 'node:fs';
import { SETTINGS } from './schema.js';
import { DOCS } from './settings.js';

export type Environment = Readonly<Record<string, string>>;

/** Longer than any secret: what is not, is another file. */
const MAX_BYTES = 65_536;

/** The variables that hold secrets; each of them may come from the file that `<NAME>_FILE` names. */
const SECRETS: readonly string[] = Object.entries(SETTINGS.shape)
  .filter(([, schema]) => DOCS.get(schema)?.secret)
  .map(([name]) => name);

/** Those whose files have several lines, such as keys. */
const WITH_LINES: ReadonlySet<string> = new Set(
  Object.entries(SETTINGS.shape)
    .filter(([, schema]) => DOCS.get(schema)?.hasLines)
    .map(([name]) => name),
);

/**
 * The environment with the secrets in the place of the names of their files. Neither the content of a file nor its path
 * is part of a problem: a secret may have been given where the path belongs.
 */
export function withSecretFiles(
  env: Environment,
  names = SECRETS,
): { readonly env: Environment; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const result = { ...env };
  for (const name of names) {
    const file = fileVariable(name);
    const path = env[file];
    if (path === undefined) {
      continue;
    }
    // A variable that took the value of its file must not meet the file again, in a process that inherits it.
    Reflect.deleteProperty(result, file);
    if (env[name] !== undefined) {
      problems.push(`${name} and ${file} are both set: set one of them.`);
      continue;
    }
    const read = readSecret(path, WITH_LINES.has(name));
    result[name] = read.value;
    if (read.problem !== undefined) {
      problems.push(`${file}: ${read.problem}.`);
    }
  }
  return { env: result, problems };
}

export function fileVariable(name: string): string {
  return `${name}_FILE`;
}

function readSecret(path: string, hasLines: boolean): { readonly value: string; readonly problem?: string } {
  try {
    const stats = statSync(path);
    if (!stats.isFile() || stats.size > MAX_BYTES) {
      return { value: '', problem: 'what it names is no file with a secret' };
    }
    const value = readFileSync(path, 'utf8').replace(/(\r?\n)+$/, '');
    if (value === '') {
      return { value, problem: 'the file that it names is empty' };
    }
    return !hasLines && /[\r\n]/.test(value)
      ? { value: '', problem: 'the file that it names has more than one line' }
      : { value };
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
    return { value: '', problem: `the file that it names ${what}` };
  }
}
