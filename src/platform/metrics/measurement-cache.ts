import { within } from '../../shared/deadline.js';
import { outsideRequest } from '../context/request-context.js';

/** A measurement is good for so long, whatever number of scrapers asks. */
const KEPT_MS = 5_000;
/** A scrape does not wait longer: Prometheus gives up after ten seconds, and then nothing is known. Health takes a second. */
const ANSWER_WITHIN_MS = 2_000;
/** One that has not ended by then is given up, and made anew: what it asked may be silent for ever. */
const MEASURED_WITHIN_MS = 30_000;

/** Measures at most once at a time, and rarely. One that takes longer than a scrape waits is there for the next one. */
export class MeasurementCache<T> {
  #measured: { readonly value: T; readonly at: number } | undefined;
  #running: Promise<T> | undefined;

  constructor(private readonly measure: () => Promise<T>) {}

  /** Undefined: it failed, or is not known in time. */
  async read(): Promise<T | undefined> {
    if (this.#measured && performance.now() - this.#measured.at < KEPT_MS) {
      return this.#measured.value;
    }
    this.#running ??= this.run();
    return within(ANSWER_WITHIN_MS, this.#running).catch(() => undefined);
  }

  private async run(): Promise<T> {
    try {
      // The scrape may be over before the measurement is, and its time is not for it.
      const value = await within(
        MEASURED_WITHIN_MS,
        outsideRequest(() => this.measure()),
      );
      this.#measured = { value, at: performance.now() };
      return value;
    } finally {
      this.#running = undefined;
    }
  }
}
