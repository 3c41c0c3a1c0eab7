import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { ROOT } from '../../../tools/stack/paths.js';
import type { Copy, Stage } from './dockerfile.js';

/** The packages that `npm prune --omit=dev` leaves. */
const PRUNE = 'npm prune --omit=dev';

/**
 * The files of a stage of our Dockerfile, in a folder that stands for `/`: what its `COPY` lines bring and nothing else, so that a
 * program that needs more fails as it would in the image. The clone, with its packages and its build, stands for the stage that
 * copies all of the context.
 * @returns the folder that is the working directory of the stage.
 */
export async function layOut(stages: readonly Stage[], stage: Stage, folder: string): Promise<string> {
  if (copiesContext(stage)) {
    return ROOT;
  }
  for (const copy of stage.copies) {
    await copyInto(folder, stages, stage, copy);
  }
  return join(folder, stage.workdir);
}

/** The files of the clone that a copy takes, after the stage it takes them from has run. */
export function sourcesOf(stages: readonly Stage[], { from, sources }: Copy): readonly string[] {
  const origin = from === undefined ? undefined : stages.find(({ name }) => name === from);
  if (from !== undefined && !origin) {
    throw new Error(`The Dockerfile copies from ${from}, which is no stage of it.`);
  }
  return sources.map((source) => join(ROOT, origin ? relative(origin.workdir, source) : source));
}

function copiesContext({ copies }: Stage): boolean {
  return copies.some(({ from, sources }) => from === undefined && sources.includes('.'));
}

async function copyInto(folder: string, stages: readonly Stage[], stage: Stage, copy: Copy): Promise<void> {
  const target = join(folder, stage.workdir, copy.target);
  const origin = stages.find(({ name }) => name === copy.from);
  for (const source of sourcesOf(stages, copy)) {
    if (!existsSync(source)) {
      throw new Error(`COPY failed: there is no ${relative(ROOT, source)}.`);
    }
    if (source.endsWith('node_modules') && origin?.runs.some((run) => run.includes(PRUNE))) {
      await linkProductionPackages(source, target);
    } else {
      const place = copy.target.endsWith('/') ? join(target, source.slice(dirname(source).length + 1)) : target;
      await cp(source, place, { recursive: true });
    }
  }
}

async function linkProductionPackages(source: string, target: string): Promise<void> {
  const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  const names = Object.entries(lock.packages)
    .filter(([path, { dev }]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && dev !== true)
    .map(([path]) => path.slice('node_modules/'.length));
  const present = names.filter((name) => existsSync(join(source, name)));
  await Promise.all(
    present.map(async (name) => {
      await mkdir(dirname(join(target, name)), { recursive: true });
      await symlink(join(source, name), join(target, name));
    }),
  );
}
