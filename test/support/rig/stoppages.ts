import { setTimeout as pause } from 'node:timers/promises';
import { counter } from '../metrics.js';
import { tellProgress } from '../promise.js';
import type { Deployment } from './deployment.js';
import type { LockGroup } from './lock-group.js';
import type { RestartedProcess } from './restarted-process.js';
import type { StatementTap } from './statement-tap.js';

export interface StoppageOptions {
  /** How long a process stands still. */
  readonly stopMs: number;
  /** How long the broker is away, and the locks at least; 0: it is not. */
  readonly outageMs: number;
  /** Every point and every process, one after another; the most dangerous point alone otherwise. */
  readonly everyPoint: boolean;
  /** Locks that stand still meanwhile, with orders on their way to them. */
  readonly awayLocks: LockGroup;
  /** Delivers the latest orders once more, when everything is back. */
  readonly storm: () => void;
  readonly random: () => number;
}

/** Where a process is caught: what it says to PostgreSQL, the last of it still unsent. */
interface Point {
  readonly called: string;
  readonly process: RestartedProcess;
  readonly tap: StatementTap;
  readonly texts: readonly string[];
}

/** The traffic comes to every point again and again. */
const POINT_WITHIN_MS = 60_000;
const LONGEST_DELAY_MS = 2_000;

/** Stops processes, locks and the broker while traffic is under way. @returns what was stopped, in words. */
export async function stopEverything(deployment: Deployment, options: StoppageOptions): Promise<string[]> {
  const { stopMs, outageMs, awayLocks, everyPoint, storm } = options;
  const done: string[] = [];
  const note = (what: string): void => {
    tellProgress(what);
    done.push(what);
  };
  awayLocks.signal('SIGSTOP');
  const awaySince = performance.now();
  for (const point of pointsOf(deployment).filter(({ called }) => everyPoint || called === BETWEEN)) {
    note(await stopAt(point, options));
  }
  for (const process of everyPoint ? deployment.processes : []) {
    note(await stopSomewhere(process, options));
  }
  await pause(Math.max(0, Math.max(stopMs, outageMs) - (performance.now() - awaySince)));
  awayLocks.signal('SIGCONT');
  note(`${String(awayLocks.deviceIds.length)} locks for ${seconds(performance.now() - awaySince)}`);
  if (outageMs > 0) {
    note(await loseBroker(deployment, outageMs));
  }
  await awayLocks.online();
  storm();
  return done;
}

const BETWEEN = 'between commit and publish';

function pointsOf({ hardware: [hardware], apis: [api], statements }: Deployment): Point[] {
  if (!hardware || !api) {
    throw new Error('The deployment has not started.');
  }
  const ofHardware = { process: hardware, tap: statements.hardware };
  return [
    { ...ofHardware, called: 'before it reads what waits', texts: ['commands_next'] },
    { ...ofHardware, called: BETWEEN, texts: ['commands_mark_sent', 'COMMIT'] },
    { ...ofHardware, called: 'in the ack path', texts: ['commands_apply_ack'] },
    { process: api, tap: statements.api, called: 'between commit and answer', texts: ['commands_create', 'COMMIT'] },
  ];
}

async function stopAt({ called, process, tap, texts }: Point, { stopMs }: StoppageOptions): Promise<string> {
  const stop = (): void => {
    process.signal('SIGSTOP');
  };
  if (!(await tap.once(texts, stop, POINT_WITHIN_MS))) {
    throw new Error(`${process.name} did not come to the point ${called}.`);
  }
  await pause(stopMs);
  process.signal('SIGCONT');
  await process.ready();
  const withheld = await counter(process.url, 'mortise_orders_published_total', 'outcome="withheld"');
  return `${process.name} for ${seconds(stopMs)} ${called}${withheld > 0 ? ` (it withheld ${String(withheld)} orders then)` : ''}`;
}

async function stopSomewhere(process: RestartedProcess, { stopMs, random }: StoppageOptions): Promise<string> {
  await pause(random() * LONGEST_DELAY_MS);
  process.signal('SIGSTOP');
  await pause(stopMs);
  process.signal('SIGCONT');
  return `${process.name} for ${seconds(stopMs)}`;
}

/** With orders in flight. */
async function loseBroker({ broker: { server } }: Deployment, outageMs: number): Promise<string> {
  await server.kill();
  await pause(outageMs);
  await server.restart();
  return `the broker away for ${seconds(outageMs)}`;
}

function seconds(ms: number): string {
  return `${String(Math.round(ms / 1_000))} s`;
}
