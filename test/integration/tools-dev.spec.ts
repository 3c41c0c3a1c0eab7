/** What `npm run dev` does on a change, shown on a tree of a few lines: built as the build does it, then started anew. */
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROOT } from '../../tools/stack/paths.js';
import { Restarter } from '../../tools/stack/restarter.js';
import { type SupervisedProcess, Supervisor } from '../../tools/stack/supervisor.js';
import { watchBuild } from '../../tools/stack/watch-build.js';
import { eventually } from '../support/wait.js';

const OUTPUT = 'dist-dev';
const PATIENCE_MS = 60_000;
const DTO = 'export class DoorDto {\n  /** Where it is. */\n  room!: string;\n}\n';

let root = '';
let supervisor: Supervisor;
let restarter: Restarter;
/** What the compiler had to say after each compilation. */
const compilations: (string | undefined)[] = [];
/** Every process there was, the newest last. */
const lives: SupervisedProcess[] = [];

const write = (file: string, text: string): Promise<void> => writeFile(join(root, 'src', file), text);
const says = (word: string): string => `process.stdout.write('${word}');\nsetInterval(() => undefined, 1_000);\n`;

async function compiled(times: number): Promise<string | undefined> {
  await eventually('the compiler is done', () => compilations.length >= times, PATIENCE_MS);
  return compilations[times - 1];
}

async function start(): Promise<SupervisedProcess> {
  const child = supervisor.start({
    name: 'The program',
    command: process.execPath,
    args: [join(root, OUTPUT, 'src', 'main.js')],
  });
  lives.push(child);
  await eventually('it says something', () => child.lastOutput() !== '', PATIENCE_MS);
  return child;
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mortise-dev-'));
  await mkdir(join(root, 'src'));
  const copied = ['tsconfig.json', 'tsconfig.build.json', 'nest-cli.json', 'package.json'];
  await Promise.all(copied.map((file) => copyFile(join(ROOT, file), join(root, file))));
  await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  await write('main.ts', says('one'));
  await write('door.dto.ts', DTO);
  supervisor = new Supervisor();
  restarter = new Restarter(start, new AbortController().signal);
  await watchBuild(supervisor, { root, output: OUTPUT, onCompiled: (errors) => compilations.push(errors) });
  expect(await compiled(1)).toBeUndefined();
  await restarter.restart();
}, PATIENCE_MS);

afterAll(async () => {
  await supervisor.stop();
  await rm(root, { recursive: true, force: true });
});

describe('the watching build', () => {
  it('describes the classes of the API, as the build does', () => {
    expect(readFileSync(join(root, OUTPUT, 'src', 'door.dto.js'), 'utf8')).toContain('description: "Where it is."');
  });

  it('says what is wrong with a change, and the process goes on', async () => {
    await write('main.ts', "export const many: number = 'one';\n");
    expect(await compiled(2)).toContain("src/main.ts:1:14 - error TS2322: Type 'string' is not assignable");
    expect(lives.map((life) => life.hasEnded())).toEqual([false]);
  });

  it('builds a change, after which the process is another', async () => {
    await write('main.ts', says('two'));
    expect(await compiled(3)).toBeUndefined();
    await restarter.restart();
    expect(lives.map((life) => [life.lastOutput(), life.hasEnded()])).toEqual([
      ['one', true],
      ['two', false],
    ]);
  });

  it('builds a file that is new', async () => {
    await write('hinge.ts', 'export const hinges = 2;\n');
    await compiled(4);
    expect(existsSync(join(root, OUTPUT, 'src', 'hinge.js'))).toBe(true);
  });
});
