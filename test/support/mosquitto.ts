import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../tools/stack/ports.js';
import { waitUntil } from '../../tools/stack/wait-until.js';
import { fromEnvironment } from './environment.js';

export interface Mosquitto {
  readonly port: number;
  readonly url: string;
  /** Files of the broker: put password and ACL files here before `restart()`. */
  readonly folder: string;
  /** What it logged so far. */
  log(): string;
  stop(): Promise<void>;
  /** Starts it again on the same port, with the same files. */
  restart(): Promise<void>;
  /** Kills it without closing connections, and keeps its files for `restart()`. */
  kill(): Promise<void>;
  /** SIGSTOP: it keeps its connections and does nothing; SIGCONT: it goes on. SIGHUP: it reads its accounts again. */
  signal(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGHUP'): void;
}

interface Running {
  stop(signal?: NodeJS.Signals): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

interface MosquittoOptions {
  /** Lines of `mosquitto.conf` beyond the listener; `%folder%` stands for the folder of the files below. */
  readonly settings: readonly string[];
  /** Files that the settings name, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Accounts by username, for a setting `password_file %folder%/passwords`. */
  readonly accounts?: Readonly<Record<string, string>>;
  /** Does not log each message. */
  readonly quiet?: boolean;
}

/** Starts a real Mosquitto on a free port of 127.0.0.1. Stop it in `afterAll`. */
export async function startMosquitto({
  settings,
  files = {},
  accounts = {},
  quiet = false,
}: MosquittoOptions): Promise<Mosquitto> {
  const executable = fromEnvironment('TEST_MOSQUITTO');
  const folder = await mkdtemp(join(tmpdir(), 'mortise-mosquitto-'));
  const port = await freePort();
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), content, { mode: 0o600 });
  }
  for (const [username, password] of Object.entries(accounts)) {
    const passwords = join(folder, 'passwords');
    await writeFile(passwords, '', { flag: 'a', mode: 0o600 });
    execFileSync(fromEnvironment('TEST_MOSQUITTO_PASSWD'), ['-b', passwords, username, password], { stdio: 'ignore' });
  }
  const logTypes = (quiet ? ['error', 'warning', 'notice', 'information'] : ['all']).map((type) => `log_type ${type}`);
  const lines = [`listener ${String(port)} 127.0.0.1`, `user ${userInfo().username}`, ...logTypes, ...settings];
  await writeFile(join(folder, 'mosquitto.conf'), `${lines.join('\n').replaceAll('%folder%', folder)}\n`);
  let log = '';

  const start = async (): Promise<Running> => {
    const child = spawn(executable, ['-c', join(folder, 'mosquitto.conf')], { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise<void>((resolve) =>
      child.once('close', () => {
        resolve();
      }),
    );
    const collect = (chunk: Buffer): void => {
      log += chunk.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    await waitUntil(
      async () => {
        if (child.exitCode !== null) {
          throw new Error(`Mosquitto did not start: ${log}`);
        }
        return accepts(port);
      },
      { withinMs: 10_000, otherwise: () => new Error(`Mosquitto does not listen: ${log}`) },
    );
    return {
      signal: (signal) => child.kill(signal),
      stop: async (signal = 'SIGTERM') => {
        child.kill('SIGCONT');
        child.kill(signal);
        await ended;
      },
    };
  };

  let running = await start();
  return {
    port,
    url: `mqtt://127.0.0.1:${String(port)}`,
    folder,
    log: () => log,
    stop: async () => {
      await running.stop();
      await rm(folder, { recursive: true, force: true });
    },
    restart: async () => {
      await running.stop();
      running = await start();
    },
    kill: () => running.stop('SIGKILL'),
    signal: (signal) => {
      running.signal(signal);
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
