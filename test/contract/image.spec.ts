/**
 * What the image holds: the Dockerfile copies it, and its programs need nothing else. Seen to fail: with the schema engine among
 * the development packages, with an import of a tool, and without the migrations.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { sourceFiles } from '../support/source-rules.js';

interface Package {
  readonly dependencies: Readonly<Record<string, string>>;
}

const PROGRAMS = ['main', 'migrate', 'admin-create', 'adopt'];

/** Imports that are left after compilation, and files that are found as imports are. */
const IMPORT =
  /(?:^|\n)\s*(?:import|export) (?!type )(?:[^'";]*? from )?'([^']+)'|import(?:\.meta\.resolve)?\('([^']+)'\)/g;

async function imports(): Promise<{ path: string; name: string }[]> {
  return (await sourceFiles()).flatMap(({ path, text }) =>
    [...text.matchAll(IMPORT)].map(([, name, late]) => ({ path, name: name ?? late ?? '' })),
  );
}

const packageOf = (name: string): string =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');

async function lastStage(): Promise<string> {
  return (await readFile('Dockerfile', 'utf8')).split(/^FROM /m).at(-1) ?? '';
}

describe('The image', () => {
  it('has every package that its code imports, without those for development', async () => {
    const { dependencies } = JSON.parse(await readFile('package.json', 'utf8')) as Package;
    const packages = (await imports()).filter(({ name }) => !/^(\.|node:)/.test(name));
    expect(packages.length).toBeGreaterThan(100);
    expect(packages.map(({ name }) => name)).toContain('@prisma/schema-engine-wasm/schema_engine_bg');
    expect(packages.filter(({ name }) => !(packageOf(name) in dependencies))).toEqual([]);
  });

  it('has every file that its code imports', async () => {
    const files = (await imports()).filter(({ name }) => name.startsWith('.'));
    expect(files.length).toBeGreaterThan(1_000);
    const outside = files.filter(({ path, name }) => !normalize(join(dirname(path), name)).startsWith('src/'));
    expect(outside).toEqual([]);
  });

  it('copies the code, its packages, and the migrations to where the code looks for them', async () => {
    const copied = [...(await lastStage()).matchAll(/^COPY --from=\S+ \/app\/(\S+) (\S+)$/gm)].map(([, from, to]) => [
      from,
      to,
    ]);
    expect(copied).toEqual([
      ['package.json', './'],
      ['node_modules', './node_modules'],
      ['dist/src', './dist/src'],
      ['prisma/migrations', './prisma/migrations'],
    ]);
    expect(PROGRAMS.filter((program) => !existsSync(join('src', `${program}.ts`)))).toEqual([]);
  });

  it('is told how to be used: each of its programs stands in docs/operations.md', async () => {
    const text = await readFile('docs/operations.md', 'utf8');
    expect(PROGRAMS.filter((program) => !text.includes(`dist/src/${program}.js`))).toEqual([]);
  });

  it('has no default password, and runs as no superuser', async () => {
    const stage = await lastStage();
    expect(stage).toMatch(/^USER node$/m);
    expect(stage).not.toMatch(/password|secret|master_key|token/i);
  });
});
