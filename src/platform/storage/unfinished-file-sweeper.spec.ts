import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import { ReadinessRegistry } from '../health/readiness-registry.js';
import { Metrics } from '../metrics/metrics.js';
import { LoopRegistry } from '../scheduling/loop-registry.js';
import { LocalFileStore } from './local-file-store.js';
import { UnfinishedFileSweeper } from './unfinished-file-sweeper.js';

const MINUTE_MS = 60_000;

let folder: string;
let logged: Promise<unknown[]>;
let sweeper: UnfinishedFileSweeper;

function sweep(root: string): void {
  logged = new Promise((resolve) => {
    const say = (...line: unknown[]): void => {
      resolve(line);
    };
    const logger = { setContext: jest.fn(), info: say, warn: say, debug: jest.fn() } as unknown as PinoLogger;
    const loops = new LoopRegistry(new ReadinessRegistry(), new Metrics());
    sweeper = new UnfinishedFileSweeper(new LocalFileStore(root), loops, logger);
  });
  sweeper.onApplicationBootstrap();
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mortise-files-'));
});
afterEach(async () => {
  await sweeper.beforeApplicationShutdown();
  await rm(folder, { recursive: true });
});

describe('UnfinishedFileSweeper', () => {
  it('removes at the start what was not written to for half an hour, and nothing younger', async () => {
    await mkdir(join(folder, '.unfinished'));
    for (const minutes of [1, 29, 31, 600]) {
      const path = join(folder, '.unfinished', String(minutes));
      await writeFile(path, 'x');
      const then = new Date(Date.now() - minutes * MINUTE_MS);
      await utimes(path, then, then);
    }
    sweep(folder);
    expect(await logged).toEqual([{ deleted: 2 }, 'Removed files that were never finished']);
    await sweeper.beforeApplicationShutdown();
    expect((await readdir(join(folder, '.unfinished'))).sort()).toEqual(['1', '29']);
  });

  it('says once in the log that no files can be stored', async () => {
    await writeFile(join(folder, 'file'), '');
    sweep(join(folder, 'file'));
    const [detail, line] = await logged;
    expect(line).toBe('Files cannot be stored; it is tried again');
    expect(String((detail as { err: Error }).err)).toContain('ENOTDIR');
  });
});
