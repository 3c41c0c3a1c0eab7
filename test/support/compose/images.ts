import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import type { PostgresPlace } from '../../../tools/stack/postgres-place.js';
import { fromEnvironment } from '../environment.js';

/** A container of an image, as far as the image itself has to do with it. */
export interface ImageContext {
  readonly env: Readonly<Record<string, string>>;
  readonly place: PostgresPlace;
  /** The path on this machine of one in the container. */
  path(inContainer: string): string;
  /** The port on this machine of one in the container. */
  port(inContainer: number): number;
}

/** What is known of an image that we do not build. */
export interface Image {
  readonly source: string;
  /** Folders in which its programs keep files. */
  readonly folders: readonly string[];
  /** Volumes that the image declares: what is written there outlives a container only in a volume. */
  readonly volumes: readonly string[];
  readonly ports: readonly number[];
  readonly users: readonly string[];
  /** What it runs where neither entrypoint nor command is given. */
  readonly command: readonly string[];
  /** Its programs that are programs here. */
  programs(place: PostgresPlace): Readonly<Record<string, string>>;
  /** Its programs that Debian has in a package which the stack does not fetch: they succeed when these functions do. */
  readonly standIns: Readonly<Record<string, (args: readonly string[], context: ImageContext) => Promise<boolean>>>;
  /** What is run in place of the container's program, after what the image's entrypoint does before. */
  start(argv: readonly string[], context: ImageContext): Promise<readonly string[]>;
  /** What a mounted configuration has to say more, because everything runs here as who runs the test. */
  readonly more?: (fileName: string) => string;
}

const as = (place: PostgresPlace): object => ({ cwd: '/', ...place.owner });

/** `POSTGRES_*` are read when there is no data yet, and never again; `host all all all scram-sha-256` is the access of clients. */
const postgres: Image = {
  source: 'https://github.com/docker-library/postgres/blob/master/docker-entrypoint.sh, .../18/bookworm/Dockerfile',
  folders: ['/var/lib/postgresql'],
  volumes: ['/var/lib/postgresql'],
  ports: [5432],
  users: ['postgres'],
  command: ['postgres'],
  programs: () => ({}),
  standIns: {
    pg_isready: async (args, context) => {
      const given = (option: string): string | undefined =>
        args.find((arg) => arg.startsWith(`--${option}=`))?.slice(option.length + 3);
      if (given('host') === undefined) {
        throw new Error('pg_isready without --host asks the socket, where the image initializes its database.');
      }
      const client = new pg.Client({
        host: given('host'),
        port: context.port(Number(given('port') ?? 5432)),
        user: 'pg_isready',
      });
      try {
        await client.connect();
        await client.end();
        return true;
      } catch (error) {
        // An account that is refused is an answer, too.
        return (error as Error).message.includes('password');
      }
    },
  },
  start: async (argv, context) => {
    const { env, place } = context;
    const { POSTGRES_USER: user = 'postgres', POSTGRES_DB: database = user, POSTGRES_PASSWORD: password } = env;
    if (password === undefined || password === '') {
      throw new Error('Database is uninitialized and superuser password is not specified.');
    }
    const data = context.path('/var/lib/postgresql/18/docker');
    await mkdir(data, { recursive: true });
    await chmod(data, 0o700);
    const passwordFile = `${context.path('/var/lib/postgresql')}/password`;
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (place.owner) {
      await chown(data, place.owner.uid, place.owner.gid);
      await chown(passwordFile, place.owner.uid, place.owner.gid);
    }
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const account = [`--username=${user}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--no-sync'];
    run(place, 'initdb', ['-D', data, ...account, ...locale]);
    if (database !== 'postgres') {
      run(place, 'postgres', ['--single', '-D', data, 'postgres'], `CREATE DATABASE "${database}"\n`);
    }
    const here = { port: context.port(5432), listen_addresses: '127.0.0.1', unix_socket_directories: '' };
    const settings = Object.entries(here).flatMap(([name, value]) => ['-c', `${name}=${String(value)}`]);
    return [join(place.binaries, 'postgres'), '-D', data, ...settings, ...argv.slice(1)];
  },
};

function run(place: PostgresPlace, program: string, args: readonly string[], input = ''): void {
  const { status, stderr } = spawnSync(join(place.binaries, program), args, { input, encoding: 'utf8', ...as(place) });
  if (status !== 0) {
    throw new Error(`${program} failed: ${stderr}`);
  }
}

const redis: Image = {
  source: 'https://github.com/redis/docker-library-redis/blob/release/7.4/debian/Dockerfile',
  folders: ['/data'],
  volumes: ['/data'],
  ports: [6379],
  users: ['redis'],
  command: ['redis-server'],
  programs: () => ({ 'redis-server': fromEnvironment('TEST_REDIS_SERVER') }),
  standIns: {
    'redis-cli': (args, context) =>
      new Promise((resolve) => {
        const socket = connect(context.port(6379), '127.0.0.1', () => socket.write(`${args.join(' ')}\r\n`));
        socket.once('error', () => {
          resolve(false);
        });
        socket.once('data', (answer) => {
          socket.destroy();
          resolve(answer.toString() === '+PONG\r\n');
        });
      }),
  },
  start: (argv, context) => Promise.resolve([...argv, '--port', String(context.port(6379)), '--bind', '127.0.0.1']),
};

const mosquitto: Image = {
  source: 'https://github.com/eclipse-mosquitto/mosquitto/blob/v2.0.22/docker/2.0-openssl/Dockerfile',
  folders: ['/mosquitto'],
  volumes: ['/mosquitto/data', '/mosquitto/log'],
  ports: [],
  users: ['mosquitto'],
  command: ['/usr/sbin/mosquitto', '-c', '/mosquitto/config/mosquitto.conf'],
  programs: () => ({
    mosquitto: fromEnvironment('TEST_MOSQUITTO'),
    mosquitto_passwd: fromEnvironment('TEST_MOSQUITTO_PASSWD'),
    mosquitto_pub: fromEnvironment('TEST_MOSQUITTO_PUB'),
    mosquitto_sub: fromEnvironment('TEST_MOSQUITTO_SUB'),
  }),
  standIns: {},
  start: (argv) => Promise.resolve(argv),
  // Root, and only root, would become another user, who may not enter the folder of the test.
  more: (fileName) => (fileName === 'mosquitto.conf' ? `\nuser ${userInfo().username}\n` : ''),
};

const IMAGES: Readonly<Record<string, Image>> = {
  'postgres:18-bookworm': postgres,
  'redis:7-bookworm': redis,
  'eclipse-mosquitto:2.0': mosquitto,
};

export function imageOf(name: string): Image {
  const image = IMAGES[name];
  if (!image) {
    throw new Error(`Nothing is known of the image ${name}: say in ${dirname(import.meta.filename)} what it does.`);
  }
  return image;
}
