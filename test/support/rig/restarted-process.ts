import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import { freePort } from '../../../tools/stack/ports.js';
import { waitUntil } from '../../../tools/stack/wait-until.js';
import { isReady, NodeProcess } from '../process.js';
import { scaled } from '../promise.js';

/** Five processes that start at once on a busy machine take their time, and a full run must not end by that. */
const READY_WITHIN_MS = scaled(120_000, 600_000);
const ASK_EVERY_MS = 200;
/** As container engines do after the first failure. */
const RESTART_AFTER_MS = 100;
const KEPT_OUTPUT = 4_000;

/** A process of the application that is started again whenever it ends, as a container engine does. */
export class RestartedProcess {
  /** The ends that no test asked for, of processes that had been ready, each with its last words. */
  readonly surprises: string[] = [];
  #process: NodeProcess | undefined;
  #wanted = true;
  #killed = false;
  #wasReady = false;
  #standsStill = false;

  private constructor(
    readonly name: string,
    private readonly port: number,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  /** Starts it on a free port; it is ready later. */
  static async start(name: string, env: Readonly<Record<string, string>>): Promise<RestartedProcess> {
    const started = new RestartedProcess(name, await freePort(), env);
    started.run();
    return started;
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.port)}`;
  }

  get standsStill(): boolean {
    return this.#standsStill;
  }

  async isReady(): Promise<boolean> {
    const ready = await isReady(this.url);
    this.#wasReady ||= ready;
    return ready;
  }

  /** Whether it has been ready since its last start: one that has not come up yet has nothing under way. */
  async isUp(): Promise<boolean> {
    return !this.#killed && (this.#wasReady || (await this.isReady()));
  }

  /** Asks seldom: many processes start at the same time, and are asked while they do. */
  async ready(): Promise<void> {
    await waitUntil(() => this.isReady(), {
      withinMs: READY_WITHIN_MS,
      everyMs: ASK_EVERY_MS,
      otherwise: () =>
        new Error(`${this.name} is not ready in time: ${this.#process?.output.slice(-KEPT_OUTPUT) ?? ''}`),
    });
  }

  /** `kill -9`; settles when it is gone. Its successor starts by itself. */
  async kill(): Promise<void> {
    this.#killed = true;
    await this.#process?.kill();
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#standsStill = signal === 'SIGSTOP';
    this.#process?.signal(signal);
  }

  /** For good. */
  async stop(): Promise<void> {
    this.#wanted = false;
    this.signal('SIGCONT');
    await this.#process?.kill();
  }

  private run(): void {
    const started = new NodeProcess(join('src', 'main.js'), [], { ...this.env, PORT: String(this.port) });
    this.#process = started;
    this.#killed = false;
    this.#wasReady = false;
    void started.ended.then(async () => {
      if (this.#wasReady && !this.#killed && this.#wanted) {
        this.surprises.push(`${this.name}: ${started.output.slice(-KEPT_OUTPUT)}`);
      }
      await pause(RESTART_AFTER_MS);
      if (this.#wanted) {
        this.run();
      }
    });
  }
}
