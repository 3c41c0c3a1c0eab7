/**
 * A feature brings everything with it: the tree takes a new one, and gives one up, by changes at four places outside of
 * the feature's folder. Seen to fail: with the map from event types
 * to socket events in a feature, where a new event type had no entry.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testEnvironment } from '../support/installation.js';
import { createTestDatabase, type TestDatabase } from '../support/postgres.js';
import { Sql } from '../support/sql.js';
import { TOY_FEATURE, TOY_PLACES } from '../support/toy-feature.js';
import { eventually } from '../support/wait.js';

const FOUR_PLACES = ['src/apps/features.ts', 'src/contracts/', '.dependency-cruiser.cjs', 'prisma/schema'];
const COPIED = [
  'src',
  'prisma/migrations',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  '.dependency-cruiser.cjs',
];
const MINUTE = 60_000;
/** Starts the compiled application on a free port, and says where. */
const BOOT = `
  import 'reflect-metadata';
  import { createApp, listen } from './dist/apps/bootstrap.js';
  import { loadConfig } from './dist/config/load-config.js';
  const app = await createApp(loadConfig(process.env));
  await listen(app);
  process.stdout.write(JSON.stringify(app.getHttpServer().address().port) + '\\n');
`;
const run = promisify(execFile);

let tree = '';
let database: TestDatabase;

beforeAll(async () => {
  tree = await mkdtemp(join(tmpdir(), 'mortise-shape-'));
  await Promise.all(COPIED.map((path) => cp(path, join(tree, path), { recursive: true })));
  await symlink(resolve('node_modules'), join(tree, 'node_modules'));
  database = await createTestDatabase();
});

afterAll(async () => {
  await rm(tree, { recursive: true, force: true });
  await database.drop();
});

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(tree, path)), { recursive: true });
  await writeFile(join(tree, path), text);
}

/** @param edit has to change something. */
async function edit(path: string, change: (text: string) => string): Promise<void> {
  expect(FOUR_PLACES.some((place) => path.startsWith(place))).toBe(true);
  const before = await readFile(join(tree, path), 'utf8');
  const after = change(before);
  expect(after).not.toBe(before);
  await write(path, after);
}

/** What the compiler finds in `src`. The second time, it only checks what the changes affect. */
async function compile(...options: readonly string[]): Promise<string> {
  await write('tsconfig.shape.json', JSON.stringify({ extends: './tsconfig.build.json', include: ['src'] }));
  const args = [
    '-p',
    'tsconfig.shape.json',
    '--rootDir',
    'src',
    '--sourceMap',
    'false',
    '--incremental',
    '--tsBuildInfoFile',
    'buildinfo',
    ...options,
  ];
  try {
    return (await run(resolve('node_modules', '.bin', 'tsc'), args, { cwd: tree })).stdout;
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout);
  }
}

async function boot(): Promise<{ url: string; process: ChildProcess }> {
  await write('boot.mjs', BOOT);
  const env = { PATH: process.env.PATH, ...(await testEnvironment(database.url, { RATE_LIMIT_TOYS: '7/1m' })) };
  const started = spawn(process.execPath, ['boot.mjs'], { cwd: tree, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  started.stderr.on('data', (chunk) => (errors += String(chunk)));
  const died = once(started, 'exit').then(() => {
    throw new Error(`The application did not start: ${errors}`);
  });
  died.catch(() => undefined);
  const [port] = (await Promise.race([once(started.stdout, 'data'), died])) as [Buffer];
  return { url: `http://127.0.0.1:${String(port).trim()}`, process: started };
}

describe('a feature', () => {
  it(
    'is taken in with all it brings, by changes at four places',
    async () => {
      for (const [path, text] of Object.entries(TOY_FEATURE)) {
        await write(`src/features/toys/${path}`, text);
      }
      for (const [path, change] of Object.entries(TOY_PLACES)) {
        await edit(path, change);
      }
      expect(await compile('--outDir', 'dist')).toBe('');
      const { url, process: toys } = await boot();
      const sql = await Sql.open(database.url);
      try {
        const made = await fetch(`${url}/api/v1/toys`, { method: 'POST' });
        expect(made.status).toBe(201);
        expect(made.headers.get('ratelimit-policy')).toContain('"toys";q=700000;w=60');
        expect(await sql.rows(`SELECT entity_type FROM audit_entries WHERE action = 'toy_made'`)).toEqual([
          { entity_type: 'toy' },
        ]);
        expect(await sql.rows(`SELECT payload FROM events WHERE type = 'toy_made'`)).toEqual([
          { payload: { name: 'bear' } },
        ]);
        const metrics = async (): Promise<string> => (await fetch(`${url}/metrics`)).text();
        expect(await metrics()).toContain('mortise_toys_total 1');
        for (const series of [
          'jobs_total{job="count_toys"',
          'jobs_total{job="purge_toys"',
          'mails_total{outcome="sent"',
        ]) {
          await eventually(series, async () => (await metrics()).includes(`mortise_${series}`), 20_000);
        }
      } finally {
        toys.kill('SIGKILL');
        await sql.end();
      }
    },
    3 * MINUTE,
  );

  it(
    'is given up by changes at four places',
    async () => {
      await rm(join(tree, 'src', 'features', 'analytics'), { recursive: true });
      await edit('src/apps/features.ts', (text) => text.replaceAll(/^.*analytics.*\n/gim, ''));
      await edit('.dependency-cruiser.cjs', (text) => text.replace(' analytics ', ' '));
      expect(await compile('--noEmit')).toBe('');
    },
    3 * MINUTE,
  );
});
