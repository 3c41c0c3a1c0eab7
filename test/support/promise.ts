import { randomInt } from 'node:crypto';
import { appendFileSync } from 'node:fs';

/** What a test showed of one promise (docs/promises.md). */
export interface Figure {
  /** `P-03`. */
  readonly promise: string;
  /** What was done and what came out, in one sentence. */
  readonly shown: string;
  /** How often. */
  readonly n: number;
  /** The measure that the promise is about: `0 late of 40`. */
  readonly figure: string;
  /** Where chance was involved: PROMISE_SEED repeats it. */
  readonly seed?: number;
}

/** Few repetitions in continuous integration, the promised number with PROMISE_SCALE=full. */
export function scaled(few: number, full: number): number {
  return process.env.PROMISE_SCALE === 'full' ? full : few;
}

/** Of this run; PROMISE_SEED repeats an earlier one. */
export const SEED = Number(process.env.PROMISE_SEED ?? randomInt(2 ** 31));

/** Says it, and keeps it where `npm run promises` collects it. */
export function recordFigure(figure: Figure): void {
  const { promise, shown, n, seed } = figure;
  const by = seed === undefined ? '' : `, seed ${String(seed)}`;
  process.stdout.write(`  ${promise}: ${shown} n ${String(n)}, ${figure.figure}${by}\n`);
  const report = process.env.PROMISE_REPORT;
  if (report) {
    appendFileSync(report, `${JSON.stringify({ ...figure, at: new Date().toISOString() })}\n`);
  }
}

/** Says how far a full run is: it takes long. */
export function tellProgress(text: string): void {
  if (scaled(0, 1) === 1) {
    process.stdout.write(`  ${new Date().toISOString().slice(11, 19)} ${text}\n`);
  }
}
