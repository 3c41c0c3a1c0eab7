import { loadavg } from 'node:os';
import { print } from '../../tools/stack/steps.js';
import { cpuMs, rssMb } from './process-use.js';
import { type Spread, spreadOf } from './statistics.js';

/** What one round measured, by name of the figure. The name carries the unit. */
export type Figures = Readonly<Record<string, number>>;

/** One of the servers that take turns. */
export interface Candidate {
  readonly name: string;
  /** Whose processor time and memory to add to the figures; left out where the round measures them itself. */
  readonly pid?: number;
  /** Does the work once and checks every answer. @throws when one is wrong: then there is no number. */
  readonly round: () => Promise<{ readonly operations: number; readonly figures: Figures }>;
}

export interface Comparison {
  readonly title: string;
  /** Ours first; each of the others is a baseline. */
  readonly candidates: readonly Candidate[];
  /** Which figures to divide by the baseline's. */
  readonly ratios: readonly string[];
  readonly rounds: number;
}

type Rounds = Map<string, Figures[]>;

/** Runs the candidates in turns (A-B-A-B...) after one round to warm up, and prints ratios first. */
export async function compare({ title, candidates, ratios, rounds }: Comparison): Promise<void> {
  print(`\n### ${title}\n`);
  for (const { round } of candidates) {
    await round();
  }
  const measured: Rounds = new Map(candidates.map(({ name }) => [name, []]));
  const load: number[] = [];
  for (let index = 0; index < rounds; index++) {
    for (const candidate of candidates) {
      measured.get(candidate.name)?.push(await measure(candidate));
      load.push(loadavg()[0] ?? NaN);
    }
  }
  printRatios(measured, ratios);
  printFigures(measured);
  print(`\n${String(rounds)} rounds each, in turns; load average ${format(spreadOf(load))}.`);
}

async function measure({ pid, round }: Candidate): Promise<Figures> {
  if (pid === undefined) {
    return (await round()).figures;
  }
  const before = cpuMs(pid);
  const { operations, figures } = await round();
  return { ...figures, 'CPU µs per operation': ((cpuMs(pid) - before) * 1_000) / operations, 'RSS MB': rssMb(pid) };
}

/** Each round against the baseline's round beside it, so that what disturbs both cancels out. */
function printRatios(measured: Rounds, ratios: readonly string[]): void {
  const [[ours, own] = ['', []], ...baselines] = measured;
  for (const [baseline, theirs] of baselines) {
    for (const figure of ratios) {
      const quotients = own.map((round, index) => (round[figure] ?? NaN) / (theirs[index]?.[figure] ?? NaN));
      print(`- ${figure}, ${ours} / ${baseline}: **${format(spreadOf(quotients))}**`);
    }
  }
}

function printFigures(measured: Rounds): void {
  const figures = Object.keys([...measured.values()][0]?.[0] ?? {});
  print(`\n| | ${figures.join(' | ')} |`);
  print(`|---|${figures.map(() => '---|').join('')}`);
  for (const [name, rounds] of measured) {
    const cells = figures.map((figure) => format(spreadOf(rounds.map((round) => round[figure] ?? NaN))));
    print(`| ${name} | ${cells.join(' | ')} |`);
  }
}

/** `median (min-max)`, with as many digits as mean something; a dash where a candidate has no such figure. */
function format({ median, min, max }: Spread): string {
  if (Number.isNaN(median)) {
    return '-';
  }
  const digits = Math.abs(median) >= 100 ? 0 : Math.abs(median) >= 10 ? 1 : 2;
  return `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`;
}
