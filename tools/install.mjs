// Before `npm start` and `npm test`: node_modules is what package-lock.json says. Runs on the host's own Node.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.mjs';

const root = join(import.meta.dirname ?? '.', '..');
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  printError(
    `Mortise needs Node.js 20.19 or newer to install itself; this is ${process.version}. See https://nodejs.org.`,
  );
  process.exit(1);
}
if (!isCurrent()) {
  const code = await withLock(join(root, '.mortise', 'install.lock'), () => (isCurrent() ? 0 : install()));
  process.exitCode = code;
}

/** Compares the lock file with npm's own record of what it installed. */
function isCurrent() {
  try {
    const wanted = Object.entries(packagesOf('package-lock.json')).filter(([path]) => path !== '');
    const installed = packagesOf(join('node_modules', '.package-lock.json'));
    return wanted.every(([path, { version, integrity, optional }]) => {
      const found = installed[path];
      // Optional packages for other platforms are rightly absent.
      return found === undefined ? optional === true : found.version === version && found.integrity === integrity;
    });
  } catch {
    return false;
  }
}

function packagesOf(file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
}

async function install() {
  const started = Date.now();
  const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`;
  print('Installing the packages of package-lock.json (once, about a minute) ...');
  const progress = setInterval(() => print(`  still installing, ${seconds()}`), 15_000);
  const { code, output } = await runNpm(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  clearInterval(progress);
  if (code !== 0) {
    printError(output);
    printError(`npm ci failed after ${seconds()} (see above). Is the npm registry reachable from here?`);
    return 1;
  }
  print(`Installed in ${seconds()}.`);
  return 0;
}

function runNpm(args) {
  const npm = process.env.npm_execpath;
  const [command, prefix] = npm ? [process.execPath, [npm]] : ['npm', []];
  // Any existing executable will do: it keeps Prisma from downloading an engine that Mortise does not use.
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath };
  const child = spawn(command, [...prefix, ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', (chunk) => output.push(chunk));
  return new Promise((resolve) => {
    child.on('error', ({ message }) => resolve({ code: 1, output: message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(output).toString().trim() }));
  });
}

function print(line) {
  process.stdout.write(`${line}\n`);
}

function printError(line) {
  process.stderr.write(`${line}\n`);
}
