import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { compile } from '../../tools/sdk/generate.js';
import { ROOT } from '../../tools/stack/paths.js';
import { eventually } from './wait.js';

const run = promisify(execFile);

/** A program of an app developer. */
export interface RunningProgram {
  /** What it wrote, in lines. */
  readonly lines: string[];
  /** The first line that `matches`, or one yet to come. */
  expect(what: string, matches: (line: string) => boolean): Promise<string>;
  /** Waits for its own end. @returns the exit code */
  ended(): Promise<number | null>;
  kill(): void;
}

/**
 * A folder of an app developer, outside of the clone, with the client as `npm pack` makes it. Its dependencies are links, in
 * place of a download.
 */
export class PackedClient {
  private constructor(
    readonly directory: string,
    /** Where the package was made: its documents are there. */
    readonly sources: string,
  ) {}

  static async install(): Promise<PackedClient> {
    // Inside of the clone, so that the client finds its dependencies while it is compiled.
    const sources = join(ROOT, '.mortise', `sdk-${String(process.pid)}`);
    await mkdir(sources, { recursive: true });
    await run(process.execPath, [join(ROOT, 'dist', 'tools', 'sdk', 'main.js'), sources], { timeout: 90_000 });
    const directory = await mkdtemp(join(tmpdir(), 'mortise-app-'));
    const installed = join(directory, 'node_modules', 'mortise-client');
    await mkdir(installed, { recursive: true });
    await run('npm', ['pack', sources, '--ignore-scripts', '--silent', '--pack-destination', directory]);
    const [tarball = ''] = (await readdir(directory)).filter((name) => name.endsWith('.tgz'));
    await run('tar', ['-xzf', join(directory, tarball), '-C', installed, '--strip-components=1']);
    await Promise.all(
      ['openapi-fetch', 'socket.io-client'].map((name) =>
        symlink(join(ROOT, 'node_modules', name), join(directory, 'node_modules', name)),
      ),
    );
    await writeFile(join(directory, 'package.json'), JSON.stringify({ type: 'module' }));
    return new PackedClient(directory, sources);
  }

  /** Compiles programs beside the package. @throws Failure with what the compiler says */
  async compile(programs: Readonly<Record<string, string>>): Promise<void> {
    const sources = Object.entries(programs).map(
      ([name, source]) => [join(this.directory, `${name}.ts`), source] as const,
    );
    await Promise.all(sources.map(([path, source]) => writeFile(path, source)));
    compile(
      sources.map(([path]) => path),
      this.directory,
    );
  }

  /** @param program its file in this folder */
  run(program: string, args: readonly string[], env: Readonly<Record<string, string>>): RunningProgram {
    const child = spawn(process.execPath, [join(this.directory, program), ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const lines: string[] = [];
    let exitCode: number | null | undefined;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => lines.push(...text.trim().split('\n')));
    }
    child.once('close', (code) => {
      exitCode = code;
    });
    return {
      lines,
      expect: (what, matches) => eventually(`the program says ${what}`, () => lines.find(matches)),
      async ended() {
        await eventually(`the program ends; it said ${lines.join('\n')}`, () => exitCode !== undefined);
        return exitCode ?? null;
      },
      kill() {
        child.kill('SIGKILL');
      },
    };
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
    await rm(this.sources, { recursive: true, force: true });
  }
}
