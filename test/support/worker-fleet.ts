import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';

const ENTRY = join(import.meta.dirname, '..', 'faults', 'worker-process.mjs');

/** Worker processes, some of which will be killed. */
export class WorkerFleet {
  readonly #processes = new Map<number, ChildProcess>();

  constructor(
    private readonly databaseUrl: string,
    private readonly redisUrl: string,
  ) {}

  /** Settles when the worker is ready. */
  async start(): Promise<void> {
    const worker = spawn(process.execPath, [ENTRY], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {
        PATH: process.env.PATH,
        NODE_ENV: 'test',
        ROLES: 'worker',
        DATABASE_URL: this.databaseUrl,
        DATABASE_POOL_SIZE: '4',
        REDIS_URL: this.redisUrl,
        MASTER_KEY: randomBytes(32).toString('base64'),
        LOG_LEVEL: 'error',
      },
    });
    const died = once(worker, 'exit').then(() => {
      throw new Error('A worker ended before it was ready.');
    });
    await Promise.race([once(worker.stdout, 'data'), died]);
    died.catch(() => undefined);
    this.#processes.set(worker.pid ?? 0, worker);
  }

  has(pid: number): boolean {
    return this.#processes.has(pid);
  }

  /** kill -9, and its end awaited. */
  async kill(pid: number): Promise<void> {
    const worker = this.#processes.get(pid);
    this.#processes.delete(pid);
    if (worker) {
      const ended = once(worker, 'exit');
      worker.kill('SIGKILL');
      await ended;
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#processes.keys()].map((pid) => this.kill(pid)));
  }
}
