/** What `npm start` and `npm test` promise about the processes they start, shown on the compiled tools. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { provideTool } from '../../tools/stack/debian.js';
import { ROOT } from '../../tools/stack/paths.js';
import { waitUntil } from '../../tools/stack/wait-until.js';

const COMPILED = join(ROOT, 'dist', 'tools', 'stack');

/** A supervisor with a child that ends when asked, one that refuses to, and a folder to remove. */
const SCRIPT = `
  import { runCommand } from '${join(COMPILED, 'command.js')}';
  await runCommand(async (supervisor) => {
    const polite = supervisor.start({ name: 'polite', command: 'sleep', args: ['1000'] });
    const stubborn = supervisor.start({
      name: 'stubborn', command: 'sh', args: ['-c', 'trap "" TERM; while :; do sleep 1; done'], stopWithinMs: 300,
    });
    supervisor.removeAtEnd(process.argv[1]);
    console.log(JSON.stringify([polite.pid, stubborn.pid]));
    return new Promise(() => setInterval(() => undefined, 1000));
  });
`;

describe('the supervisor of the development stack', () => {
  const cleanUps: (() => Promise<unknown>)[] = [];

  afterEach(async () => {
    await Promise.all(cleanUps.splice(0).map((cleanUp) => cleanUp()));
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('ends everything it started on %s', async (signal) => {
    const { supervisor, children, folder } = await startSupervisor();
    const ended = once(supervisor, 'exit');
    supervisor.kill(signal);
    await ended;
    expect(children.filter(isRunning)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  it('leaves nothing behind when it is killed', async () => {
    const { supervisor, children, folder } = await startSupervisor();
    expect(children.filter(isRunning)).toEqual(children);
    supervisor.kill('SIGKILL');
    await waitUntil(() => !children.some(isRunning) && !existsSync(folder), {
      withinMs: 10_000,
      otherwise: () => new Error(`still running: ${children.filter(isRunning).join(', ')}`),
    });
  });

  it.each(['PORT', 'MQTT_PORT'])('says in one line that %s is in use', async (variable) => {
    const { port } = await occupyPort();
    const environment = { ...process.env, PORT: '0', MQTT_PORT: '0', [variable]: String(port) };
    const other = variable === 'PORT' ? 'MQTT_PORT' : 'PORT';
    const start = spawn(process.execPath, [join(COMPILED, 'start.js')], {
      env: { ...environment, [other]: String(port === 65_535 ? 65_534 : port + 1) },
    });
    const output = collect(start);
    const [code] = (await once(start, 'close')) as [number];
    expect(code).toBe(1);
    expect(output()).toMatch(
      new RegExp(`^Port ${String(port)} on 127.0.0.1 is in use.*${variable}=\\d+ npm start\\n$`),
    );
  });

  it('says in one line what is missing when it can be fetched from nowhere', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'apt.conf'), 'Dir::Etc::SourceList "/dev/null"; Dir::Etc::SourceParts "/dev/null";');
    const before = { ...process.env };
    Object.assign(process.env, { APT_CONFIG: join(folder, 'apt.conf'), XDG_CACHE_HOME: folder });
    const missing = { name: 'Such a server', package: 'no-such-package', programs: { server: ['no-such-server'] } };
    try {
      await expect(provideTool({ ...missing, advice: 'Install it.' })).rejects.toThrow(
        /^Such a server .*Install it\.$/,
      );
    } finally {
      process.env = before;
    }
  });

  async function startSupervisor(): Promise<{ supervisor: ChildProcess; children: number[]; folder: string }> {
    const folder = await temporaryFolder();
    const supervisor = spawn(process.execPath, ['--input-type=module', '--eval', SCRIPT, folder]);
    cleanUps.push(() => Promise.resolve(supervisor.kill('SIGKILL')));
    const output = collect(supervisor);
    const children = await waitUntil(() => output().includes('\n') && (JSON.parse(output()) as number[]), {
      withinMs: 10_000,
      otherwise: () => new Error(`the supervisor said: ${output()}`),
    });
    return { supervisor, children, folder };
  }

  async function temporaryFolder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'mortise-tools-'));
    cleanUps.push(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }

  async function occupyPort(): Promise<{ port: number }> {
    const server: Server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanUps.push(() => Promise.resolve(server.close()));
    return server.address() as { port: number };
  }
});

function collect(child: ChildProcess): () => string {
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return () => output;
}

/** Whether a process still does anything: one that ended but was not waited for does not. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${String(pid)}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
