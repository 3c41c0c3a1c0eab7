import { type ChildProcess, spawn } from 'node:child_process';
import { extname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type WatchdogOrder } from './watchdog.js';

export interface ProcessOptions {
  /** What the process is called in messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** The user to run it as, when this process is root and the service must not be. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** The signal that asks it to end orderly; SIGTERM unless said otherwise. */
  readonly stopSignal?: NodeJS.Signals;
  /** How long an orderly end may take before SIGKILL. */
  readonly stopWithinMs?: number;
  /** Written to its standard input, for configuration that does not belong on a command line. */
  readonly input?: string;
  /** `collect` keeps the last lines for error messages, `errors` those of standard error alone, `inherit` shows all. */
  readonly output?: 'collect' | 'errors' | 'inherit';
  readonly onOutput?: (chunk: Buffer) => void;
}

export interface SupervisedProcess {
  readonly name: string;
  readonly pid: number;
  /** Resolves when it has ended, with a description such as `exit code 1`. */
  readonly ended: Promise<string>;
  hasEnded(): boolean;
  /** The last lines it printed. */
  lastOutput(): string;
  stop(): Promise<void>;
}

/** Compiled where this file is compiled, a source where it is one. */
const WATCHDOG = join(import.meta.dirname, `watchdog${extname(import.meta.filename)}`);
const KEPT_OUTPUT = 4_000;

/**
 * Starts processes and guarantees that they end: in reverse order and orderly with `stop()`, and through the
 * watchdog when this process is killed. Each leads its own process group, so that Ctrl-C in a terminal reaches
 * this process alone, which then decides the order.
 */
export class Supervisor {
  private readonly processes: SupervisedProcess[] = [];
  private readonly watchdog: ChildProcess;
  private stopping: Promise<void> | undefined;

  constructor() {
    this.watchdog = spawn(process.execPath, [WATCHDOG], {
      detached: true,
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    this.watchdog.stdin?.on('error', () => undefined);
  }

  start(options: ProcessOptions): SupervisedProcess {
    if (this.stopping) {
      throw new Error(`Not starting ${options.name}: everything is being stopped.`);
    }
    const child = this.spawn(options);
    const supervised = this.supervise(child, options);
    this.processes.push(supervised);
    return supervised;
  }

  /** A folder that goes away with this process, in whatever way that ends. */
  removeAtEnd(folder: string): void {
    this.tell({ removeFolder: folder });
  }

  /** Ends everything in reverse order of starting, each within its bound. May be called more than once. */
  stop(): Promise<void> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  private spawn(options: ProcessOptions): ChildProcess {
    const output = options.output === 'inherit' ? 'inherit' : 'pipe';
    const child = spawn(options.command, options.args, {
      detached: true,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', options.output === 'errors' ? 'ignore' : output, output],
      ...options.owner,
      ...(options.cwd && { cwd: options.cwd }),
      ...(options.env && { env: options.env }),
    });
    if (child.pid !== undefined) {
      this.tell({ watch: child.pid, signal: options.stopSignal ?? 'SIGTERM' });
    }
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input);
    return child;
  }

  private supervise(child: ChildProcess, options: ProcessOptions): SupervisedProcess {
    let output = '';
    let over = false;
    const collect = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-KEPT_OUTPUT);
      options.onOutput?.(chunk);
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    const hasEnded = (): boolean => over;
    const pid = child.pid ?? 0;
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => {
        over = true;
        resolve(error.message);
      });
      child.once('exit', (code, signal) => {
        over = true;
        this.tell({ forget: pid });
        resolve(signal ? `signal ${signal}` : `exit code ${String(code)}`);
      });
    });
    const stop = async (): Promise<void> => {
      if (hasEnded() || !child.kill(options.stopSignal ?? 'SIGTERM')) {
        return;
      }
      const patience = new AbortController();
      const late = delay(options.stopWithinMs ?? 5_000, undefined, { signal: patience.signal }).catch(() => undefined);
      await Promise.race([ended, late]);
      patience.abort();
      if (!hasEnded()) {
        child.kill('SIGKILL');
        await ended;
      }
    };
    return { name: options.name, pid, ended, stop, hasEnded, lastOutput: () => output.trim() };
  }

  private async stopAll(): Promise<void> {
    for (const supervised of this.processes.reverse()) {
      await supervised.stop();
    }
    const gone = new Promise((resolve) => this.watchdog.once('exit', resolve));
    this.watchdog.stdin?.end();
    if (this.watchdog.exitCode === null) {
      await gone;
    }
  }

  private tell(order: WatchdogOrder): void {
    this.watchdog.stdin?.write(`${JSON.stringify(order)}\n`);
  }
}
