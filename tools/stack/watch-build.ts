import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { type SupervisedProcess, type Supervisor } from './supervisor.js';

/** The end of each compilation, as TypeScript words it. */
const FINISHED = /Found (\d+) errors?\. Watching for file changes\./;

/** Told after each compilation: nothing when it was clean, else what the compiler said. */
export type CompilationListener = (errors: string | undefined) => void;

interface WatchedBuild {
  /** The folder that holds src/, tsconfig.build.json and nest-cli.json. */
  readonly root: string;
  /** Where the compiled files go, below the root. */
  readonly output: string;
  readonly onCompiled: CompilationListener;
}

/** Compiles src/ as the build does, and again what a change touches, for as long as the process lives. */
export async function watchBuild(supervisor: Supervisor, build: WatchedBuild): Promise<SupervisedProcess> {
  const { root, output, onCompiled } = build;
  const state = join(root, '.mortise');
  await mkdir(state, { recursive: true });
  const config = join(state, `tsconfig.${output}.json`);
  const compilerOptions = { outDir: join(root, output) };
  await writeFile(config, JSON.stringify({ extends: '../tsconfig.build.json', compilerOptions, include: ['../src'] }));
  const nest = join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
  const collect = compilationsIn(onCompiled);
  return supervisor.start({
    name: 'The compiler',
    command: process.execPath,
    args: [nest, 'build', '--watch', '--preserveWatchOutput', '--path', relative(root, config)],
    cwd: root,
    onOutput: (chunk) => {
      collect(chunk.toString());
    },
  });
}

/** Takes what the compiler prints, in pieces of any size, and tells of each compilation that is over. */
export function compilationsIn(onCompiled: CompilationListener): (text: string) => void {
  let pending = '';
  return (text) => {
    pending += stripVTControlCharacters(text);
    for (let end = FINISHED.exec(pending); end; end = FINISHED.exec(pending)) {
      const said = pending.slice(0, end.index).split('\n');
      pending = pending.slice(end.index + end[0].length);
      onCompiled(
        end[1] === '0'
          ? undefined
          : said
              .filter((line) => !isStatus(line))
              .join('\n')
              .trim(),
      );
    }
  };
}

/** `[3:04:05 PM] File change detected. Starting incremental compilation...`, and the time before `Found`. */
function isStatus(line: string): boolean {
  return /^\[[^\]]+\]/.test(line);
}
