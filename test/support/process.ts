import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { ROOT } from '../../tools/stack/paths.js';
import { freePort } from '../../tools/stack/ports.js';
import { eventually } from './wait.js';

/** A machine that is busy with other things boots it slowly. */
const READY_WITHIN_MS = 110_000;
const STOP_WITHIN_MS = 15_000;
const KEPT_OUTPUT = 1_000_000;

/** A compiled program of the project as a process of its own. It ends with the test at the latest. */
export class NodeProcess {
  readonly #child: ChildProcess;
  #output = '';
  /** Settles when it is gone, in whatever way. */
  readonly ended: Promise<void>;

  /** @param script below `dist`, or an absolute path. */
  constructor(script: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    const guard = join(ROOT, 'test', 'support', 'end-with-parent.mjs');
    this.#child = spawn(process.execPath, ['--import', guard, resolve(ROOT, 'dist', script), ...args], {
      env: { PATH: process.env.PATH ?? '', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('close', () => {
        resolve();
      });
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-KEPT_OUTPUT);
      });
    }
  }

  get output(): string {
    return this.#output;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Null while it runs, and when a signal ended it. */
  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** `kill -9`; settles when the process is gone. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.gone(STOP_WITHIN_MS);
  }

  /** Sends SIGTERM; rejects when the process does not end in time. */
  async stop(): Promise<void> {
    this.signal('SIGTERM');
    try {
      await this.gone(STOP_WITHIN_MS);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  private async gone(limitMs: number): Promise<void> {
    await eventually('a process is gone', () => this.hasEnded, limitMs);
  }
}

/** The application as production runs it: a process on fixed ports, that can be killed and started again. */
export class ApplicationProcess {
  #process: NodeProcess | undefined;
  #earlierOutput = '';

  private constructor(
    readonly port: number,
    readonly mqttPort: number,
    private readonly env: Readonly<Record<string, string>>,
    private readonly program: string,
  ) {}

  /** Starts it and waits until it is ready. @param program beside what was built, for a test that plants something. */
  static async start(
    env: Readonly<Record<string, string>>,
    program = join('src', 'main.js'),
  ): Promise<ApplicationProcess> {
    const application = new ApplicationProcess(await freePort(), await freePort(), env, program);
    await application.start();
    return application;
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.port)}`;
  }

  /** Where devices log in: the embedded broker, or the one that the environment names. */
  get mqttUrl(): string {
    return this.env.MQTT_URL ?? `mqtt://127.0.0.1:${String(this.mqttPort)}`;
  }

  /** What it has printed since its first start. */
  get output(): string {
    return this.#earlierOutput + (this.#process?.output ?? '');
  }

  get hasEnded(): boolean {
    return this.#process?.hasEnded ?? true;
  }

  get exitCode(): number | null {
    return this.#process?.exitCode ?? null;
  }

  async start(): Promise<void> {
    this.#earlierOutput = this.output;
    const started = new NodeProcess(this.program, [], {
      ...this.env,
      PORT: String(this.port),
      MQTT_PORT: String(this.mqttPort),
    });
    this.#process = started;
    await eventually(
      'the application is ready',
      async () => {
        if (started.hasEnded) {
          throw new Error(`The application did not start: ${started.output}`);
        }
        return isReady(this.url);
      },
      READY_WITHIN_MS,
    );
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.signal(signal);
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }
}

/** Whether the process that listens there answers that it is ready. */
export async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/api/health/ready`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}
