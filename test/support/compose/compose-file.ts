import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import { parse } from 'yaml';
import { interpolate } from './interpolate.js';

type Text = Readonly<Record<string, string>>;
type Condition = 'service_started' | 'service_healthy' | 'service_completed_successfully';

export interface Mount {
  /** A path of the host, or the name of a volume. */
  readonly source: string;
  readonly target: string;
}

export interface HealthCheck {
  readonly test: readonly string[];
  /** How long a start may take before Compose calls it unhealthy. */
  readonly withinMs: number;
}

export interface ComposeService {
  readonly name: string;
  readonly image: string | undefined;
  readonly build: { readonly context: string; readonly target?: string } | undefined;
  readonly user: string | undefined;
  readonly environment: Text;
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[] | undefined;
  readonly mounts: readonly Mount[];
  /** Ports of the host by ports of the container. */
  readonly ports: ReadonlyMap<number, number>;
  readonly dependsOn: readonly { readonly service: string; readonly condition: Condition }[];
  readonly healthcheck: HealthCheck | undefined;
}

/** What the file may say. Another word fails: what is not played must not look played. */
interface RawService {
  readonly image?: string;
  readonly build?: string | { readonly context: string; readonly target?: string };
  readonly user?: string;
  readonly env_file?: readonly { readonly path: string; readonly required: boolean }[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: Condition }>>;
  readonly healthcheck?: { readonly test: readonly string[]; readonly interval: string; readonly retries: number };
}

const PLAYED = ['image', 'build', 'user', 'env_file', 'environment', 'entrypoint', 'command', 'volumes', 'ports'];
const KNOWN = new Set([...PLAYED, 'depends_on', 'healthcheck', 'restart', 'stop_grace_period']);

/**
 * The services of a Compose file, as Compose reads it with an .env file beside it: anchors, interpolation, `env_file`,
 * `environment` before it.
 */
export function readComposeFile(path: string, dotenv: string): readonly ComposeService[] {
  const folder = dirname(path);
  const variables = existsSync(dotenv) ? dotenvOf(dotenv) : {};
  const raw = parse(readFileSync(path, 'utf8'), { merge: true }) as { services: Record<string, RawService> };
  return Object.entries(raw.services).map(([name, service]) => {
    const unknown = Object.keys(service).filter((key) => !KNOWN.has(key));
    if (unknown.length > 0) {
      throw new Error(`This test does not play ${unknown.join(', ')} of the service ${name}.`);
    }
    return toService(name, interpolated(service, variables) as RawService, { folder, dotenv });
  });
}

function interpolated(value: unknown, variables: Text): unknown {
  if (typeof value === 'string') {
    return interpolate(value, variables);
  }
  if (Array.isArray(value)) {
    return value.map((item) => interpolated(item, variables));
  }
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, interpolated(item, variables)]))
    : value;
}

function toService(name: string, raw: RawService, at: { folder: string; dotenv: string }): ComposeService {
  const { build, healthcheck } = raw;
  return {
    name,
    image: raw.image,
    build: typeof build === 'string' ? { context: build } : build,
    user: raw.user,
    entrypoint: raw.entrypoint,
    command: raw.command,
    healthcheck: healthcheck && {
      test: healthcheck.test,
      withinMs: Number(/^(\d+)s$/.exec(healthcheck.interval)?.[1]) * 1_000 * healthcheck.retries,
    },
    environment: environmentOf(raw, at),
    mounts: (raw.volumes ?? []).map((text) => {
      const [source = '', target = ''] = text.split(':');
      return { source: source.startsWith('.') ? join(at.folder, source) : source, target };
    }),
    ports: new Map((raw.ports ?? []).map((text) => text.split(':').map(Number).reverse() as [number, number])),
    dependsOn: Object.entries(raw.depends_on ?? {}).map(([service, { condition }]) => ({ service, condition })),
  };
}

/** `environment` wins over `env_file`: https://docs.docker.com/compose/how-tos/environment-variables/envvars-precedence/. */
function environmentOf(raw: RawService, at: { folder: string; dotenv: string }): Text {
  const files = (raw.env_file ?? []).map(({ path, required }) => {
    // The test keeps its .env elsewhere, so that it does not touch one of the clone.
    const file = path === '.env' ? at.dotenv : join(at.folder, path);
    if (!existsSync(file) && required) {
      throw new Error(`env file ${file} not found`);
    }
    return existsSync(file) ? dotenvOf(file) : {};
  });
  const given = Object.entries(raw.environment ?? {}).map(([variable, value]) => [variable, String(value)] as const);
  return Object.assign({}, ...files, Object.fromEntries(given)) as Text;
}

function dotenvOf(path: string): Text {
  return parseEnv(readFileSync(path, 'utf8')) as Text;
}
