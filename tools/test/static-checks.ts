import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../stack/paths.js';
import { print, printError } from '../stack/steps.js';

export interface Check {
  readonly title: string;
  /** Answers whether all is well. */
  readonly run: () => Promise<boolean>;
}

interface Program {
  readonly title: string;
  readonly script: string;
  readonly args: readonly string[];
}

/** By content: a file that was found well formatted before is not looked at again. */
const PRETTIER_CACHE = ['--cache', '--cache-strategy', 'content', '--cache-location', '.mortise/prettier-cache'];

/** The longest first: it takes as long as all others together. */
const PROGRAMS: readonly Program[] = [
  { title: 'types and lint', script: 'tools/test/types-and-lint.mjs', args: [] },
  {
    title: 'formatting',
    script: 'node_modules/prettier/bin/prettier.cjs',
    args: ['--check', '--log-level', 'warn', ...PRETTIER_CACHE, '.'],
  },
  {
    title: 'boundaries',
    script: 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs',
    args: ['src', 'tools', '--config', '.dependency-cruiser.cjs'],
  },
  { title: 'unused code', script: 'node_modules/knip/bin/knip.js', args: [] },
];

/** The checks that need no services. */
export function staticChecks(stopped: AbortSignal): readonly Check[] {
  return PROGRAMS.map((program) => ({ title: program.title, run: () => runProgram(program, stopped) }));
}

/** Runs checks in their order, two at a time; answers the titles of those that failed. */
export async function twoAtATime(checks: readonly Check[]): Promise<readonly string[]> {
  const waiting = [...checks];
  const failed: string[] = [];
  const lane = async (): Promise<void> => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      if (!(await check.run())) {
        failed.push(check.title);
      }
    }
  };
  await Promise.all([lane(), lane()]);
  return failed;
}

async function runProgram({ title, script, args }: Program, stopped: AbortSignal): Promise<boolean> {
  const started = performance.now();
  const child = spawn(process.execPath, [join(ROOT, script), ...args], { cwd: ROOT, signal: stopped });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
    child.once('error', () => undefined);
  });
  const seconds = `${((performance.now() - started) / 1000).toFixed(1)} s`;
  if (code === 0) {
    print(`  ${title}: ${seconds}`);
  } else if (!stopped.aborted) {
    printError(`  ${title}: failed after ${seconds}\n${Buffer.concat(output).toString()}`);
  }
  return code === 0;
}
