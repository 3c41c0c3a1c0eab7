import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../stack/paths.js';
import { print, printError } from '../stack/steps.js';

interface Check {
  readonly title: string;
  readonly script: string;
  readonly args: readonly string[];
}

const CHECKS: readonly Check[] = [
  { title: 'types', script: 'typescript/bin/tsc', args: ['--noEmit'] },
  { title: 'lint', script: 'eslint/bin/eslint.js', args: ['.', '--max-warnings', '0'] },
  { title: 'formatting', script: 'prettier/bin/prettier.cjs', args: ['--check', '--log-level', 'warn', '.'] },
  {
    title: 'boundaries',
    script: 'dependency-cruiser/bin/dependency-cruiser.mjs',
    args: ['src', 'tools', '--config', '.dependency-cruiser.cjs'],
  },
  { title: 'unused code', script: 'knip/bin/knip.js', args: [] },
];

/** Runs the checks that need no services, two at a time; answers whether all passed. */
export async function runStaticChecks(stopped: AbortSignal): Promise<boolean> {
  const waiting = [...CHECKS];
  const results: boolean[] = [];
  const worker = async (): Promise<void> => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      results.push(await runCheck(check, stopped));
    }
  };
  await Promise.all([worker(), worker()]);
  return results.every(Boolean);
}

async function runCheck({ title, script, args }: Check, stopped: AbortSignal): Promise<boolean> {
  const started = performance.now();
  const child = spawn(process.execPath, [join(ROOT, 'node_modules', script), ...args], { cwd: ROOT, signal: stopped });
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
