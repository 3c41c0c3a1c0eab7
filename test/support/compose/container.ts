import { execFile } from 'node:child_process';
import { access, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { PostgresPlace } from '../../../tools/stack/postgres-place.js';
import type { SupervisedProcess, Supervisor } from '../../../tools/stack/supervisor.js';
import type { ComposeService } from './compose-file.js';
import type { Image, ImageContext } from './images.js';

export interface Outcome {
  readonly code: number;
  readonly said: string;
}

/** What a container is made of, of an image of ours or of others. */
export interface Recipe {
  readonly service: ComposeService;
  readonly image: Pick<Image, 'folders' | 'standIns' | 'start' | 'more'>;
  /** Paths of its programs on this machine, by what the image calls them. */
  readonly programs: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  /** Folders of the image that exist on this machine already, by their paths in the container. */
  readonly mapped: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly argv: readonly string[];
  readonly healthcheck?: readonly string[];
}

/** What all containers have in common: one network and one machine. */
export interface Host {
  readonly folder: string;
  readonly place: PostgresPlace;
  readonly supervisor: Supervisor;
  /** The port of 127.0.0.1 that stands for one of a service; undefined where nothing is said of such a port. */
  port(service: string, inContainer: number): number | undefined;
  readonly services: readonly string[];
}

/**
 * A container without a container: its programs run on this machine with its environment, its command line and its
 * configuration, in which only paths (below a folder of its own) and ports (free ones of 127.0.0.1) are replaced. Users are not
 * played: everything runs as who runs the test.
 */
export class Container implements ImageContext {
  #process: SupervisedProcess | undefined;
  #output = '';

  constructor(
    readonly recipe: Recipe,
    private readonly host: Host,
  ) {}

  get name(): string {
    return this.recipe.service.name;
  }

  get place(): PostgresPlace {
    return this.host.place;
  }

  get output(): string {
    return this.#output;
  }

  get process(): SupervisedProcess {
    if (!this.#process) {
      throw new Error(`The service ${this.name} was not started.`);
    }
    return this.#process;
  }

  get env(): Readonly<Record<string, string>> {
    const given = Object.entries(this.recipe.env).map(([name, value]) => [name, this.environmentValue(value)]);
    return { PATH: `${this.bin}:/usr/bin:/bin`, ...(Object.fromEntries(given) as object) };
  }

  port(inContainer: number): number {
    const port = this.host.port(this.name, inContainer);
    if (port === undefined) {
      throw new Error(`Nothing says that ${this.name} listens on ${String(inContainer)}.`);
    }
    return port;
  }

  path(inContainer: string): string {
    const mapped = this.mappings().find(([folder]) => inContainer === folder || inContainer.startsWith(`${folder}/`));
    return mapped ? mapped[1] + inContainer.slice(mapped[0].length) : inContainer;
  }

  /** Makes its file system: programs, volumes, mounted files. */
  async create(): Promise<void> {
    await mkdir(this.bin, { recursive: true });
    for (const [name, path] of Object.entries(this.recipe.programs)) {
      await symlink(path, join(this.bin, name));
    }
    for (const { source, target } of this.recipe.service.mounts) {
      const place = this.path(target);
      if (source.includes('/')) {
        await mkdir(dirname(place), { recursive: true });
        const more = this.recipe.image.more?.(basename(place)) ?? '';
        await writeFile(place, this.translate(await readFile(source, 'utf8')) + more);
      } else {
        await mkdir(place, { recursive: true });
      }
    }
  }

  async start(): Promise<void> {
    const argv = await this.recipe.image.start(this.recipe.argv, this);
    const [program = '', ...args] = argv.map((arg) => this.translate(arg));
    this.#process = this.host.supervisor.start({
      name: this.name,
      command: await this.program(program),
      args,
      env: this.env,
      cwd: this.recipe.cwd,
      ...(program.startsWith(this.place.binaries) && this.place.owner && { owner: this.place.owner, cwd: '/' }),
      onOutput: (chunk) => {
        this.#output += chunk.toString();
      },
    });
  }

  /** `docker compose exec`, and what a health check does. */
  async exec(argv: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    const [program = '', ...args] = argv.map((arg) => this.translate(arg));
    const command = await this.program(program);
    return new Promise((resolve) => {
      const options = { env: { ...this.env, ...more }, cwd: this.recipe.cwd, timeout: 60_000 };
      execFile(command, args, options, (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code ?? 1) : 0, said: stdout + stderr });
      });
    });
  }

  async isHealthy(): Promise<boolean> {
    const [kind, ...argv] = this.recipe.healthcheck ?? [];
    const [program = '', ...args] = kind === 'CMD-SHELL' ? ['/bin/sh', '-c', ...argv] : argv;
    const standIn = this.recipe.image.standIns[program];
    return standIn ? standIn(args, this) : (await this.exec([program, ...args])).code === 0;
  }

  /** A text of the container (an argument, a file) as it has to be here. */
  private translate(text: string): string {
    const moved = this.mappings().reduce(
      (result, [folder, place]) => result.replaceAll(new RegExp(`(?<![\\w/.-])${folder}(?![\\w-])`, 'g'), place),
      text,
    );
    return moved.replaceAll(/(?<![\w.:/-])\d{4,5}(?![\w.:-])/g, (digits) =>
      String(this.host.port(this.name, Number(digits)) ?? digits),
    );
  }

  private environmentValue(value: string): string {
    const address = new RegExp(`(?<=[/@])(${this.host.services.join('|')}):(\\d+)`, 'g');
    const moved = value.replaceAll(
      address,
      (_, service: string, port: string) => `127.0.0.1:${String(this.host.port(service, Number(port)))}`,
    );
    return /^\d+$/.test(moved) ? String(this.host.port(this.name, Number(moved)) ?? moved) : moved;
  }

  /** The longest first. */
  private mappings(): (readonly [string, string])[] {
    const { image, mapped, service } = this.recipe;
    const own = [...image.folders, ...service.mounts.map(({ target }) => target)];
    const folders = { ...Object.fromEntries(own.map((folder) => [folder, join(this.root, folder)])), ...mapped };
    return Object.entries(folders).sort(([a], [b]) => b.length - a.length);
  }

  private get root(): string {
    return join(this.host.folder, this.name);
  }

  private get bin(): string {
    return join(this.root, 'bin');
  }

  private async program(name: string): Promise<string> {
    if (name.includes('/')) {
      return name;
    }
    const path = join(this.bin, name);
    await access(path).catch(() => {
      throw new Error(`exec: "${name}": executable file not found in $PATH of ${this.name}.`);
    });
    return path;
  }
}
