import { describeFailure } from './failure.js';
import { print, printError } from './steps.js';
import { type SupervisedProcess } from './supervisor.js';

/** Keeps one process, which is stopped and started anew as often as is asked for, never twice at the same time. */
export class Restarter {
  private process: SupervisedProcess | undefined;
  private wanted = false;
  private working: Promise<void> | undefined;

  /** `stopped` says that everything is being stopped, so that no process that ends is worth a word. */
  constructor(
    private readonly start: () => Promise<SupervisedProcess>,
    private readonly stopped: AbortSignal,
    first?: SupervisedProcess,
  ) {
    this.keep(first);
  }

  /** Settles when the newest start that was asked for is over. A start that fails is told, and waits for the next. */
  restart(): Promise<void> {
    this.wanted = true;
    this.working ??= this.work().finally(() => {
      this.working = undefined;
    });
    return this.working;
  }

  private async work(): Promise<void> {
    while (this.wanted) {
      this.wanted = false;
      const old = this.process;
      this.process = undefined;
      await old?.stop();
      await this.startOnce();
    }
  }

  private async startOnce(): Promise<void> {
    const started = performance.now();
    try {
      this.keep(await this.start());
      print(`  Restarted in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    } catch (error) {
      this.say(describeFailure(error));
    }
  }

  private keep(process: SupervisedProcess | undefined): void {
    this.process = process;
    void process?.ended.then((end) => {
      if (this.process === process) {
        this.say(`${process.name} ended (${end}).`);
      }
    });
  }

  private say(what: string): void {
    if (!this.stopped.aborted) {
      printError(`${what} Waiting for the next change.`);
    }
  }
}
