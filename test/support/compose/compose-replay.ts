import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { freePort } from '../../../tools/stack/ports.js';
import { temporaryPlace } from '../../../tools/stack/postgres-place.js';
import { Supervisor } from '../../../tools/stack/supervisor.js';
import { waitUntil } from '../../../tools/stack/wait-until.js';
import { layOut } from './application-image.js';
import { type ComposeService, readComposeFile } from './compose-file.js';
import { Container, type Host, type Outcome, type Recipe } from './container.js';
import { readDockerfile, type Stage } from './dockerfile.js';
import { imageOf } from './images.js';

const NODE_IMAGE = /^node:(\d+)-/;

/** `docker compose` without Docker: each service by the program of its image, as a process of this machine. */
export class ComposeReplay {
  readonly #containers = new Map<string, Container>();

  private constructor(
    readonly services: readonly ComposeService[],
    private readonly stages: readonly Stage[],
    private readonly host: Host,
  ) {}

  /** @param dotenv the .env file that its user wrote, wherever it is */
  static async of(composeFile: string, dotenv: string): Promise<ComposeReplay> {
    const services = readComposeFile(composeFile, dotenv);
    const stages = readDockerfile(join(dirname(composeFile), 'Dockerfile'));
    const place = await temporaryPlace();
    const supervisor = new Supervisor();
    supervisor.removeAtEnd(place.folder);
    const ports = await portsOf(services, stages);
    return new ComposeReplay(services, stages, {
      folder: place.folder,
      place,
      supervisor,
      services: services.map(({ name }) => name),
      port: (service, inContainer) => ports.get(`${service}:${String(inContainer)}`),
    });
  }

  /** `docker compose up`: every service, after those it depends on are as far as it says. */
  async up(): Promise<void> {
    await Promise.all(this.services.map(({ name }) => this.reach(name)));
  }

  /** `docker compose exec`. */
  exec(service: string, argv: readonly string[]): Promise<Outcome> {
    return this.container(service).exec(argv);
  }

  /** `docker compose run --rm`: another command in the image, environment and volumes of a service. */
  run(service: string, argv: readonly string[], env: Readonly<Record<string, string>>): Promise<Outcome> {
    return this.container(service).exec(argv, env);
  }

  /** `docker compose kill --signal`. */
  kill(service: string, signal: NodeJS.Signals): void {
    process.kill(this.container(service).process.pid, signal);
  }

  /** Where a port of the host leads: what a browser or a lock on this machine would reach. */
  published(service: string, onHost: number): string {
    const found = this.services.find(({ name }) => name === service)?.ports ?? new Map<number, number>();
    const inContainer = [...found].find(([, published]) => published === onHost)?.[0];
    const port = inContainer === undefined ? undefined : this.host.port(service, inContainer);
    if (port === undefined) {
      throw new Error(`No port ${String(onHost)} of the host leads to ${service}.`);
    }
    return `127.0.0.1:${String(port)}`;
  }

  container(service: string): Container {
    const container = this.#containers.get(service);
    if (!container) {
      throw new Error(`The service ${service} was not started.`);
    }
    return container;
  }

  async down(): Promise<void> {
    await this.host.supervisor.stop();
    await rm(this.host.folder, { recursive: true, force: true });
  }

  readonly #reached = new Map<string, Promise<void>>();

  /** Starts a service, once, and settles when it runs. */
  private reach(name: string): Promise<void> {
    const reached = this.#reached.get(name) ?? this.start(name);
    this.#reached.set(name, reached);
    return reached;
  }

  private async start(name: string): Promise<void> {
    const service = this.services.find((one) => one.name === name);
    if (!service) {
      throw new Error(`service "${name}" depends on undefined service`);
    }
    for (const { service: other, condition } of service.dependsOn) {
      await this.reach(other);
      await this.fulfil(this.container(other), condition);
    }
    const container = new Container(await this.recipeOf(service), this.host);
    this.#containers.set(name, container);
    await container.create();
    await container.start();
  }

  private async fulfil(container: Container, condition: string): Promise<void> {
    if (condition === 'service_completed_successfully') {
      const end = await container.process.ended;
      if (end !== 'exit code 0') {
        throw new Error(`service "${container.name}" didn't complete successfully: ${end}\n${container.output}`);
      }
    } else if (condition === 'service_healthy') {
      await this.healthy(container.name);
    }
  }

  /** Waits as long as the health check of the service says. */
  async healthy(name: string): Promise<void> {
    const container = this.container(name);
    await waitUntil(
      () => {
        if (container.process.hasEnded()) {
          throw new Error(`container ${name} exited: ${container.output}`);
        }
        return container.isHealthy();
      },
      {
        withinMs: container.recipe.service.healthcheck?.withinMs ?? 60_000,
        everyMs: 100,
        otherwise: () => new Error(`container ${name} is unhealthy: ${container.output}`),
      },
    );
  }

  private async recipeOf(service: ComposeService): Promise<Recipe> {
    const folder = join(this.host.folder, service.name);
    if (service.build) {
      return this.recipeOfOurs(service, folder);
    }
    const image = imageOf(service.image ?? '');
    if (service.user !== undefined && !image.users.includes(service.user)) {
      throw new Error(`unable to find user ${service.user}: no matching entries in passwd file`);
    }
    return {
      service,
      image,
      programs: image.programs(this.host.place),
      env: service.environment,
      mapped: {},
      cwd: this.host.folder,
      // An entrypoint of the file does away with the command of the image.
      argv: [...(service.entrypoint ?? []), ...(service.command ?? (service.entrypoint ? [] : image.command))],
      ...(service.healthcheck && { healthcheck: service.healthcheck.test }),
    };
  }

  private async recipeOfOurs(service: ComposeService, folder: string): Promise<Recipe> {
    const target = service.build?.target;
    const stage = target === undefined ? this.stages.at(-1) : this.stages.find(({ name }) => name === target);
    if (!stage) {
      throw new Error(`The Dockerfile has no stage ${target ?? ''}.`);
    }
    const cwd = await layOut(this.stages, stage, folder);
    return {
      service,
      image: { folders: [], standIns: {}, start: (argv) => Promise.resolve(argv) },
      programs: { node: nodeOf(this.stages) },
      env: { ...stage.env, ...service.environment },
      mapped: { [stage.workdir]: cwd },
      cwd,
      argv: service.command ?? stage.command ?? [],
      ...(stage.healthcheck && { healthcheck: ['CMD', ...stage.healthcheck] }),
    };
  }
}

/** This Node, if it is the one of the image. */
function nodeOf(stages: readonly Stage[]): string {
  const wanted = NODE_IMAGE.exec(stages[0]?.from ?? '')?.[1];
  if (wanted !== process.versions.node.split('.')[0]) {
    throw new Error(`The image has Node ${wanted ?? ''}, and the test runs on ${process.versions.node}.`);
  }
  return process.execPath;
}

/** A port here for each that is published, exposed, listened on by an image, by a mounted configuration, or asked for by another. */
async function portsOf(
  services: readonly ComposeService[],
  stages: readonly Stage[],
): Promise<ReadonlyMap<string, number>> {
  const known = new Set<string>();
  for (const service of services) {
    const own = service.image === undefined ? (stages.at(-1)?.exposed ?? []) : imageOf(service.image).ports;
    const configured = await Promise.all(
      service.mounts.filter(({ source }) => source.includes('/')).map(({ source }) => readFile(source, 'utf8')),
    );
    const listeners = configured.flatMap((text) => [...text.matchAll(/^listener (\d+)/gm)].map(([, port]) => port));
    [...own, ...service.ports.keys(), ...listeners].forEach((port) => known.add(`${service.name}:${String(port)}`));
    for (const value of Object.values(service.environment)) {
      for (const [, name, port] of value.matchAll(/(?<=[/@])([a-z]+):(\d+)/g)) {
        known.add(`${name ?? ''}:${port ?? ''}`);
      }
    }
  }
  const ports = new Map<string, number>();
  for (const key of known) {
    ports.set(key, await freePort());
  }
  return ports;
}
