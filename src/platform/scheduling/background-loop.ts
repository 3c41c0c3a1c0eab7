import { within } from '../../shared/deadline.js';
import { outsideTransaction } from '../prisma/transactions.js';

const IDLE_FROM_MS = 5;
const RETRY_FROM_MS = 100;
const STOP_WITHIN_MS = 1_500;
/** Longer than a transaction takes at most, with its wait for a connection: 5 s, 10 s, and 2 s for the rollback. */
const STEP_WITHIN_MS = 20_000;
/** A loop that is so late has not only met a slow step. */
const LATE_MS = 5_000;

export interface LoopOptions {
  /** The shortest pause while there is nothing to do, 5 ms unless said otherwise. */
  readonly idleFromMs?: number;
  /** The longest. */
  readonly idleMs: number;
  /** The longest pause while steps fail. */
  readonly retryMs: number;
  /** A step that has not ended by then has failed: 20 s unless said otherwise. */
  readonly deadlineMs?: number;
  /** Called for every step that failed or was given up, with the number of failures in a row. The loop goes on, with growing pauses. */
  readonly onError: (error: unknown, failures: number) => void;
}

/** What a step found: `more` makes the next one follow at once. */
export type StepOutcome = 'more' | 'idle';

/**
 * Runs one step after another until it is stopped. Idle, it pauses longer and longer, and being woken starts over with
 * short pauses: work that was announced may stay invisible for some milliseconds, while an older transaction is open.
 *
 * A step that does not end is given up, and the next one follows: whatever it waits for cannot stop the loop. It may still
 * go on next to later steps, so steps must bear to run twice at a time, as those of several processes do.
 */
export class BackgroundLoop {
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #woken = false;
  #interrupt: (() => void) | undefined;
  #completedAt = 0;

  constructor(
    private readonly step: () => Promise<StepOutcome>,
    private readonly options: LoopOptions,
  ) {}

  start(): void {
    if (!this.#running) {
      this.#completedAt = performance.now();
      this.#running = outsideTransaction(() => this.run());
    }
  }

  /** Milliseconds since a step was completed without an error, or since the start; 0 for a loop that does not run. */
  get ageMs(): number {
    return this.#running && !this.#stopping.signal.aborted ? performance.now() - this.#completedAt : 0;
  }

  /** Whether it has completed nothing for longer than a pause, a step and some delay can explain. */
  get standsStill(): boolean {
    const { idleMs, deadlineMs = STEP_WITHIN_MS } = this.options;
    return this.ageMs > idleMs + deadlineMs + LATE_MS;
  }

  wake(): void {
    this.#woken = true;
    this.#interrupt?.();
  }

  /** Resolves when the step under way has ended, or does not end within 1.5 s. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#interrupt?.();
    await settleWithin(STOP_WITHIN_MS, this.#running);
  }

  private async run(): Promise<void> {
    const { idleFromMs = IDLE_FROM_MS, deadlineMs = STEP_WITHIN_MS } = this.options;
    let idleMs = idleFromMs;
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      try {
        const outcome = await within(deadlineMs, this.step());
        failures = 0;
        this.#completedAt = performance.now();
        if (outcome === 'more') {
          idleMs = idleFromMs;
        } else {
          const woken = await this.pauseUnlessWoken(idleMs);
          idleMs = woken ? idleFromMs : Math.min(idleMs * 2, this.options.idleMs);
        }
      } catch (error) {
        this.options.onError(error, ++failures);
        await this.pause(Math.min(RETRY_FROM_MS * 2 ** (failures - 1), this.options.retryMs));
      }
    }
  }

  private async pauseUnlessWoken(ms: number): Promise<boolean> {
    if (!this.#woken) {
      await this.pause(ms, () => this.#woken);
    }
    const woken = this.#woken;
    this.#woken = false;
    return woken;
  }

  /** Ends early when the loop is stopped; otherwise only if `enough` says so when it is interrupted. */
  private pause(ms: number, enough = (): boolean => false): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#interrupt = undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#interrupt = () => {
        if (this.#stopping.signal.aborted || enough()) {
          end();
        }
      };
      this.#interrupt();
    });
  }
}

/** Waits for `work`, at most `ms`. */
export async function settleWithin(ms: number, work: Promise<void> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]).finally(() => {
    clearTimeout(timer);
  });
}
