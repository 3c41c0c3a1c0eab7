import { type z } from 'zod';
import { OperatorError } from '../shared/operator-error.js';
import { AppConfig } from './app-config.js';
import { isRateLimitVariable, RATE_LIMIT_OVERRIDES } from './rate-limit.js';
import { SETTINGS } from './schema.js';
import { type Environment, fileVariable, withSecretFiles } from './secret-files.js';
import { DOCS, type SettingDoc } from './settings.js';

/** All that is wrong with the configuration, at once, without the value of any secret. */
export class ConfigurationError extends OperatorError {
  constructor(readonly problems: readonly string[]) {
    super(
      problems.length === 1 ? problems.join() : ['The configuration has several problems:', ...problems].join('\n  - '),
    );
    this.name = 'ConfigurationError';
  }
}

const SCHEMAS: Readonly<Record<string, z.ZodType>> = SETTINGS.shape;

/** Reads and validates the whole configuration. @throws ConfigurationError that lists every problem. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): AppConfig {
  const { env: given, problems } = withSecretFiles(withoutEmpty(env));
  const settings = SETTINGS.safeParse(given);
  const overrides = RATE_LIMIT_OVERRIDES.safeParse(
    Object.fromEntries(Object.entries(given).filter(([variable]) => isRateLimitVariable(variable))),
  );
  if (problems.length > 0 || !settings.success || !overrides.success) {
    const issues = [...(settings.error?.issues ?? []), ...(overrides.error?.issues ?? [])];
    // What is wrong with a file says all: the value is not judged as well.
    const others = issues.filter(({ path: [variable] }) => given[String(variable)] !== '');
    // Several parts of one setting may be wrong in the same way.
    throw new ConfigurationError([...new Set([...problems, ...others.map((issue) => problemOf(issue, given))])]);
  }
  return new AppConfig(settings.data, overrides.data);
}

/**
 * The environment of a command beside the application: secrets that files hold are among its variables.
 * @param names the secrets of the settings, unless the command has others
 * @throws ConfigurationError when a file gives none
 */
export function environmentWithSecrets(
  env: Readonly<Record<string, string | undefined>>,
  names?: readonly string[],
): Environment {
  const { env: complete, problems } = withSecretFiles(withoutEmpty(env), names);
  if (problems.length > 0) {
    throw new ConfigurationError(problems);
  }
  return complete;
}

/** `DATABASE_URL` alone, for a program that needs nothing else. @throws ConfigurationError */
export function loadDatabaseUrl(env: Readonly<Record<string, string | undefined>>): string {
  const given = environmentWithSecrets(env);
  const { success, data, error } = SETTINGS.shape.DATABASE_URL.safeParse(given.DATABASE_URL);
  if (!success) {
    const { issues } = error;
    throw new ConfigurationError(issues.map((issue) => problemOf({ ...issue, path: ['DATABASE_URL'] }, given)));
  }
  return data;
}

/** A variable that is set to nothing counts as one that is not set. */
function withoutEmpty(env: Readonly<Record<string, string | undefined>>): Environment {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  );
}

/** The message of an issue that concerns no single setting says everything. */
function problemOf({ path: [variable], message }: z.core.$ZodIssue, given: Environment): string {
  if (variable === undefined) {
    return message;
  }
  const name = String(variable);
  const schema = SCHEMAS[name];
  const doc = schema && DOCS.get(schema);
  const value = given[name];
  return value === undefined
    ? [`${name} is missing.`, ...hintsOf(name, doc)].join(' ')
    : `${name}=${doc?.secret ? '[redacted]' : JSON.stringify(value)} ${message}.`;
}

function hintsOf(name: string, { description, example, secret }: Partial<SettingDoc> = {}): string[] {
  const file = secret ? [`Or ${fileVariable(name)}, the path of a file that holds it.`] : [];
  return [description ?? '', `Example: ${example ?? ''}`, ...file];
}
