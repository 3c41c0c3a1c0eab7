// Every npm script comes through here, already on the pinned Node 24. It makes sure that the Prisma client and the
// build are current, then hands over to the compiled tool. Plain JavaScript, because it is what builds the rest.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withLock } from './lock.mjs';

const root = join(import.meta.dirname, '..');
const state = join(root, '.mortise');

/** The compiled program behind each command. */
const COMMANDS = {
  start: 'tools/stack/start.js',
  dev: 'tools/stack/dev.js',
  test: 'tools/test/run.js',
  check: 'tools/test/check.js',
  'test:promise': 'tools/test/promise.js',
  promises: 'tools/test/promises.js',
  'db:migrate': 'tools/db/migrate-command.js',
  'db:migration': 'tools/db/migration-command.js',
  'db:adopt': 'tools/db/adopt-command.js',
  'admin:create': 'tools/admin-create.js',
  'env:example': 'tools/env-example.js',
  'docs:problems': 'tools/documents/problems-command.js',
  lock: 'tools/virtual-lock/main.js',
  bench: 'bench/run.js',
  sdk: 'tools/sdk/main.js',
};

const [command = '', ...args] = process.argv.slice(2);
// `npm test -- <args>` and `npm run check` go on with what was emitted: Jest compiles for itself, half-done work may be tested,
// and `check` tells of all that is wrong.
const toleratesErrors = command === 'check' || (command === 'test' && args.length > 0);

if (Number(process.versions.node.split('.')[0]) < 22) {
  fail(`This is Node ${process.versions.node}; use \`npm run ${command}\`, which brings its own Node 24.`);
}
const known = ['generate', 'build', ...Object.keys(COMMANDS)];
if (!known.includes(command)) {
  fail(`Unknown command "${command}". Known: ${known.join(', ')}.`);
}

const ready = await withLock(
  join(state, 'build.lock'),
  async () => (await generate()) && (command === 'generate' || (await build())),
);
if (!ready) {
  process.exitCode = 1;
} else if (command in COMMANDS) {
  const entry = join(root, 'dist', COMMANDS[command]);
  process.argv = [process.execPath, entry, ...args];
  await import(pathToFileURL(entry).href);
}

function generate() {
  const output = join(root, 'src', 'generated', 'prisma');
  return whenChanged('generate', output, ['prisma/schema', 'package-lock.json'], () =>
    run('Generating the database client', ['prisma/build/index.js', 'generate']),
  );
}

/** Answers whether there is a build to go on with. */
async function build() {
  const sources = ['src', 'tools', 'bench', 'prisma/schema'];
  const configuration = ['tsconfig.json', 'tsconfig.build.json', 'nest-cli.json', 'package-lock.json'];
  const built = await whenChanged('build', join(root, 'dist'), [...sources, ...configuration], compile);
  return built || (toleratesErrors && existsSync(join(root, 'dist')));
}

/**
 * Compiles aside and moves into place, so that a process started from the old build never sees half of the new. Aside
 * is beside `dist`, because source maps hold relative paths.
 */
async function compile() {
  const aside = join(root, `dist-${process.pid}`);
  const config = join(state, `tsconfig.build-${process.pid}.json`);
  writeFileSync(config, JSON.stringify({ extends: '../tsconfig.build.json', compilerOptions: { outDir: aside } }));
  const built = await run('Building', ['@nestjs/cli/bin/nest.js', 'build', '--path', relative(root, config)]);
  rmSync(config);
  if (existsSync(aside)) {
    rmSync(join(root, 'dist'), { recursive: true, force: true });
    renameSync(aside, join(root, 'dist'));
  }
  return built;
}

/** Skips `work` while the contents of `inputs` are those of its last success; answers whether all is well. */
async function whenChanged(name, output, inputs, work) {
  const stamp = join(state, `${name}.sha256`);
  const digest = createHash('sha256').update(process.version);
  inputs.forEach((input) => addToHash(digest, input));
  const current = digest.digest('hex');
  if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, 'utf8') === current) {
    return true;
  }
  rmSync(stamp, { force: true });
  const succeeded = await work();
  if (succeeded) {
    writeFileSync(stamp, current);
  }
  return succeeded;
}

function addToHash(digest, path) {
  const absolute = join(root, path);
  if (statSync(absolute).isDirectory()) {
    const names = readdirSync(absolute).sort();
    names.filter((name) => name !== 'generated').forEach((name) => addToHash(digest, join(path, name)));
  } else if (!path.endsWith('.spec.ts')) {
    digest.update(`${path}\0`).update(readFileSync(absolute)).update('\0');
  }
}

/** One line with its time when all is well; the program's own output when it is not. */
async function run(title, [script, ...args]) {
  const started = performance.now();
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' };
  const child = spawn(process.execPath, [join(root, 'node_modules', script), ...args], { cwd: root, env });
  const output = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', (chunk) => output.push(chunk));
  const code = await new Promise((resolve) => child.on('close', resolve));
  const time = `${((performance.now() - started) / 1000).toFixed(1)} s`;
  process.stdout.write(`  ${title}: ${code === 0 ? time : `failed after ${time}`}\n`);
  if (code !== 0) {
    const text = Buffer.concat(output).toString().trim();
    printError(toleratesErrors ? `  ${text.split('\n').at(-1)} \`npm run types\` shows them.` : text);
  }
  return code === 0;
}

function printError(line) {
  process.stderr.write(`${line}\n`);
}

function fail(line) {
  printError(line);
  process.exit(1);
}
