import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../tools/stack/paths.js';
import { freePort } from '../../tools/stack/ports.js';
import { fromEnvironment } from './environment.js';
import { eventually } from './wait.js';

const run = promisify(execFile);
const LISTEN = 'listen 8080;';

/** A real nginx with the configuration of deploy/nginx, on a free port of 127.0.0.1. Stop it in `afterAll`. */
export interface Nginx {
  readonly url: string;
  /** Sends requests to these ports from now on, as an operator does: the file of the upstream, and a reload. */
  serve(ports: readonly number[]): Promise<void>;
  /** What it logged: each line is a request that met a failing process. */
  errors(): Promise<string[]>;
  stop(): Promise<void>;
}

/** @param edit changes the configuration, for a test of what it is there for */
export async function startNginx(
  ports: readonly number[],
  edit: (configuration: string) => string = (configuration) => configuration,
): Promise<Nginx> {
  const executable = fromEnvironment('TEST_NGINX');
  const folder = await mkdtemp(join(tmpdir(), 'mortise-nginx-'));
  const port = await freePort();
  const errorLog = join(folder, 'error.log');
  const upstream = (served: readonly number[]): Promise<void> =>
    writeFile(
      join(folder, 'mortise-upstream.conf'),
      served.map((each) => `server 127.0.0.1:${String(each)} max_fails=0;\n`).join(''),
    );
  const deployed = await readFile(join(ROOT, 'deploy', 'nginx', 'mortise.conf'), 'utf8');
  await writeFile(join(folder, 'mortise.conf'), edit(deployed).replace(LISTEN, `listen 127.0.0.1:${String(port)};`));
  await writeFile(join(folder, 'nginx.conf'), mainConfiguration(folder, errorLog));
  await upstream(ports);
  const args = ['-p', folder, '-e', errorLog, '-c', join(folder, 'nginx.conf')];
  await run(executable, [...args, '-t']);
  const master = spawn(executable, args, { stdio: 'ignore' });
  const url = `http://127.0.0.1:${String(port)}`;
  await eventually('nginx answers', () =>
    fetch(`${url}/metrics`).then(
      ({ status }) => status === 404,
      () => false,
    ),
  );
  return {
    url,
    async serve(served) {
      await upstream(served);
      await run(executable, [...args, '-s', 'reload']);
    },
    async errors() {
      // Each reload is a notice.
      return (await readFile(errorLog, 'utf8')).split('\n').filter((line) => line !== '' && !line.includes('[notice]'));
    },
    async stop() {
      master.kill('SIGTERM');
      await eventually('nginx is gone', () => master.exitCode !== null || master.signalCode !== null);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What a distribution's own nginx.conf holds around the included file, without a path of the system. */
function mainConfiguration(folder: string, errorLog: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return [
    // Started by root it would become another user, who cannot enter the folder.
    ...(userInfo().uid === 0 ? ['user root;'] : []),
    'daemon off;',
    'worker_processes 2;',
    `pid ${join(folder, 'nginx.pid')};`,
    `error_log ${errorLog} error;`,
    'events { worker_connections 8192; }',
    'http {',
    'access_log off;',
    ...temporary.map((name) => `${name}_temp_path ${join(folder, name)};`),
    'include mortise.conf;',
    '}',
  ].join('\n');
}
