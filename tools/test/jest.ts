import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../stack/paths.js';
import { printError } from '../stack/steps.js';
import { type Supervisor } from '../stack/supervisor.js';

/**
 * Flags of Node for Jest and its workers. V8 would give a function that it compiled in one test file to the next one, and keep all
 * modules of the first for it.
 */
const NODE_FLAGS = [
  '--no-compilation-cache',
  '--import',
  pathToFileURL(join(ROOT, 'test', 'support', 'lasting-coverage.mjs')).href,
];

/** Runs Jest in a process group of its own and answers its exit code. */
export async function runJest(
  supervisor: Supervisor,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<number> {
  const nodeOptions = `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --disable-warning=ExperimentalWarning`;
  const jest = supervisor.start({
    name: 'Jest',
    command: process.execPath,
    args: [...NODE_FLAGS, join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js'), ...args],
    cwd: ROOT,
    env: { ...process.env, ...environment, NODE_ENV: 'test', NODE_OPTIONS: nodeOptions.trim() },
    output: 'inherit',
  });
  const end = await jest.ended;
  if (!end.startsWith('exit code')) {
    printError(`Jest was ended by ${end}.`);
  }
  return end === 'exit code 0' ? 0 : 1;
}
