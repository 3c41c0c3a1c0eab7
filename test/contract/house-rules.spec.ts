import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

/**
 * A checker that silently did not run looks like a pass. So each rule is shown a violation, planted in a copy of the
 * tree, and has to find it.
 */
const SEED = 'seeded-violation';
const COPIED = [
  'src',
  'tools',
  'test/support',
  'tsconfig.json',
  'eslint.config.js',
  '.dependency-cruiser.cjs',
  'package.json',
];
const run = promisify(execFile);
let tree = '';

async function plant(path: string, text: string): Promise<string> {
  await mkdir(dirname(join(tree, path)), { recursive: true });
  await writeFile(join(tree, path), text);
  return path;
}

async function outputOf(command: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(resolve('node_modules', '.bin', command), [...args], { cwd: tree, maxBuffer: 1e8 });
    return stdout;
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout);
  }
}

beforeAll(async () => {
  tree = await mkdtemp(join(tmpdir(), 'mortise-rules-'));
  await Promise.all(COPIED.map((path) => cp(path, join(tree, path), { recursive: true })));
  await symlink(resolve('node_modules'), join(tree, 'node_modules'));
});

afterAll(() => rm(tree, { recursive: true, force: true }));

const CRUISED: readonly [rule: string, path: string, text: string][] = [
  ['shared-is-a-leaf', `src/shared/${SEED}.ts`, "import '../config/schema.js';"],
  ['contracts-are-plain', `src/contracts/${SEED}.ts`, "import 'rxjs';"],
  ['config-is-low', `src/config/${SEED}.ts`, "import '../platform/metrics/metrics.js';"],
  ['platform-knows-no-feature', `src/platform/${SEED}.ts`, "import '../features/users/users.service.js';"],
  ['prisma-imports-only-context-and-process', `src/platform/prisma/${SEED}.ts`, "import '../clock/clock.module.js';"],
  ['feature-knows-no-app', `src/features/users/${SEED}.ts`, "import '../../apps/boot-checks.js';"],
  ['feature-public-surface', `src/features/commands/${SEED}.ts`, "import '../users/users.repository.js';"],
  ['order-users', `src/features/users/${SEED}.ts`, "import '../devices/devices.service.js';"],
  ['order-commands', `src/features/commands/${SEED}.ts`, "import '../realtime/realtime.module.js';"],
  ['domain-is-pure', `src/features/users/domain/${SEED}.ts`, "import '@nestjs/common';"],
  ['edges-skip-storage', `src/features/users/${SEED}.controller.ts`, "import './users.repository.js';"],
  [
    'only-repositories-touch-prisma',
    `src/features/users/${SEED}.service.ts`,
    "import '../../platform/prisma/database.js';",
  ],
  ['mqtt-has-one-owner', `src/features/devices/${SEED}.ts`, "import 'mqtt';"],
  ['aedes-has-one-owner', `src/features/devices/${SEED}.ts`, "import 'aedes';"],
  ['bullmq-has-one-owner', `src/features/devices/${SEED}.ts`, "import 'bullmq';"],
  ['pg-has-one-owner', `src/features/devices/${SEED}.ts`, "import 'pg';"],
  ['socketio-has-one-owner', `src/features/devices/${SEED}.ts`, "import 'socket.io';"],
  ['redis-has-one-owner', `src/features/devices/${SEED}.ts`, "import 'ioredis';"],
  ['s3-has-one-owner', `src/features/devices/${SEED}.ts`, "import '@aws-sdk/client-s3';"],
  ['undici-has-one-owner', `src/features/devices/${SEED}.ts`, "import 'undici';"],
  ['web-push-has-one-owner', `src/features/devices/${SEED}.ts`, "import 'web-push';"],
  ['ipaddr-has-one-owner', `src/features/devices/${SEED}.ts`, "import 'ipaddr.js';"],
  ['nodemailer-has-one-owner', `src/features/devices/${SEED}.ts`, "import 'nodemailer';"],
  ['bowser-has-one-owner', `src/features/users/${SEED}.ts`, "import 'bowser';"],
  ['csv-has-one-owner', `src/features/users/${SEED}.ts`, "import 'csv-parse/sync';"],
  ['uuid-has-one-owner', `src/features/users/${SEED}.ts`, "import 'uuid';"],
  ['zod-has-one-owner', `src/features/devices/${SEED}.ts`, "import 'zod';"],
  ['argon2-has-one-owner', `src/features/devices/${SEED}.ts`, "import 'argon2';"],
  ['lock-knows-contracts-only', `tools/virtual-lock/${SEED}.ts`, "import '../../src/shared/ids.js';"],
  ['not-to-test', `src/shared/${SEED}.ts`, "import '../../test/support/environment.js';"],
  ['no-orphans', `src/shared/${SEED}.ts`, 'export const alone = 1;'],
];

describe('the boundary checker', () => {
  it('finds nothing in the tree as it is', async () => {
    const output = await outputOf('depcruise', [
      'src',
      'tools',
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'err',
    ]);
    expect(output).toContain('no dependency violations found');
  });

  it('finds every planted violation, and a cycle', async () => {
    for (const [index, [, path, text]] of CRUISED.entries()) {
      await plant(path.replace(SEED, `${SEED}-${String(index)}`), text);
    }
    await plant(`src/features/users/${SEED}-a.ts`, `import './${SEED}-b.js';`);
    await plant(`src/features/users/${SEED}-b.ts`, `import './${SEED}-a.js';`);
    const output = await outputOf('depcruise', [
      'src',
      'tools',
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'json',
    ]);
    const { summary } = JSON.parse(output) as { summary: { violations: { from: string; rule: { name: string } }[] } };
    const found = summary.violations
      .filter(({ from }) => from.includes(SEED))
      .map(({ from, rule }) => `${rule.name} ${from}`);
    const expected = CRUISED.map(([rule, path], index) => `${rule} ${path.replace(SEED, `${SEED}-${String(index)}`)}`);
    const missed = [...expected, `no-circular src/features/users/${SEED}-a.ts`].filter(
      (violation) => !found.includes(violation),
    );
    expect(missed).toEqual([]);
  });
});

const parameters = (count: number): string =>
  Array.from({ length: count }, (_, n) => `a${String(n)}: number`).join(', ');

const LINTED: readonly [rule: string, text: string, folder?: string][] = [
  ['@typescript-eslint/no-explicit-any', 'export const loose: any = 1;\n'],
  ['no-restricted-syntax', 'export enum Colour { Red }\n'],
  ['no-restricted-syntax', "export * from './ids.js';\n"],
  ['no-restricted-syntax', 'export const home = process.env.HOME;\n'],
  ['no-restricted-syntax', "import { forwardRef } from '@nestjs/common';\nexport const later = forwardRef;\n"],
  ['no-restricted-syntax', 'export default 1;\n'],
  ['no-restricted-syntax', `export function seven(${parameters(7)}): number {\n  return a0;\n}\n`],
  ['no-restricted-syntax', `export class Nine {\n  constructor(${parameters(9)}) {}\n}\n`],
  [
    'max-lines-per-function',
    `export function long(): number {\n  let n = 0;\n${'  n += 1;\n'.repeat(61)}  return n;\n}\n`,
  ],
  ['no-restricted-syntax', "export const pool = { connectionString: 'postgresql://localhost' };\n"],
  [
    'local/sql-reason',
    "export const find = (database: { query(...args: string[]): string }): string => database.query('find', 'SELECT 1');\n",
    'platform',
  ],
  [
    'local/sql-reason',
    "export const find = (database: { query(...args: string[]): string }): string => database.query('find', 'SELECT 1');\n",
    'features/users',
  ],
  ['no-console', "console.log('hello');\nexport {};\n"],
  ['@typescript-eslint/no-floating-promises', 'Promise.resolve(1);\nexport {};\n'],
  [
    '@typescript-eslint/switch-exhaustiveness-check',
    "export function f(x: 'a' | 'b'): number {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n  return 2;\n}\n",
  ],
  [
    'max-lines',
    'export const line = 1;\n'.replace('line', 'first') +
      Array.from({ length: 301 }, (_, n) => `export const n${String(n)} = ${String(n)};\n`).join(''),
  ],
];

describe('the linter', () => {
  it('finds every planted violation', async () => {
    const paths: string[] = [];
    for (const [index, [, text, folder = 'shared']] of LINTED.entries()) {
      paths.push(await plant(`src/${folder}/${SEED}-lint-${String(index)}.ts`, text));
    }
    const output = await outputOf('eslint', ['--format', 'json', ...paths]);
    const results = JSON.parse(output) as { filePath: string; messages: { ruleId: string }[] }[];
    const reported = (path: string): string[] =>
      results
        .filter(({ filePath }) => filePath.endsWith(path))
        .flatMap(({ messages }) => messages.map(({ ruleId }) => ruleId));
    const found = LINTED.map(([rule], index) =>
      reported(paths[index] ?? '').includes(rule) ? rule : `${rule} was not reported`,
    );
    expect(found).toEqual(LINTED.map(([rule]) => rule));
  }, 60_000);
});
