import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import { freePort } from '../../../tools/stack/ports.js';
import { waitUntil } from '../../../tools/stack/wait-until.js';
import { isReady, NodeProcess } from '../process.js';

/** Five processes that start at once on a busy machine take their time. */
const READY_WITHIN_MS = 120_000;
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

  async isReady(): Promise<boolean> {
    const ready = await isReady(this.url);
    this.#wasReady ||= ready;
    return ready;
  }

  /** Waits until it has been ready since its last start: one that has not come up yet has nothing under way. */
  async up(): Promise<void> {
    await this.waitUntil('has come up', async () => this.#wasReady || (await this.isReady()));
  }

  async ready(): Promise<void> {
    await this.waitUntil('is ready', () => this.isReady());
  }

  /** `kill -9`; settles when it is gone. Its successor starts by itself. */
  async kill(): Promise<void> {
    this.#killed = true;
    await this.#process?.kill();
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.signal(signal);
  }

  /** For good. */
  async stop(): Promise<void> {
    this.#wanted = false;
    this.signal('SIGCONT');
    await this.#process?.kill();
  }

  /** Asks seldom: many processes start at the same time, and are asked while they do. */
  private async waitUntil(what: string, condition: () => Promise<boolean>): Promise<void> {
    await waitUntil(condition, {
      withinMs: READY_WITHIN_MS,
      everyMs: ASK_EVERY_MS,
      otherwise: () =>
        new Error(`Not in time: ${this.name} ${what}. ${this.#process?.output.slice(-KEPT_OUTPUT) ?? ''}`),
    });
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
