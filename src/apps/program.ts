import type { AppConfig } from '../config/app-config.js';
import { environmentWithSecrets, loadConfig } from '../config/load-config.js';

export type ProgramEnvironment = Readonly<Record<string, string | undefined>>;

/** A program that ends by itself: with 0, or with 1 and what went wrong in one line. */
export async function runProgram(work: () => Promise<void>): Promise<never> {
  try {
    await work();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** For a program that does not ask Redis, and logs nothing but errors unless it is told to. */
export function configOfProgram(env: ProgramEnvironment): AppConfig {
  return loadConfig({ REDIS_URL: 'redis://127.0.0.1:6379', LOG_LEVEL: 'error', ...environmentWithSecrets(env) });
}
