import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ROOT } from '../../tools/stack/paths.js';
import { within } from '../../src/shared/deadline.js';
import { nowMs } from './monotonic.js';

export type CrowdOrder =
  | {
      readonly kind: 'connect';
      readonly url: string;
      readonly tokens: readonly string[];
      readonly inFlight: number;
      readonly localAddress: string;
    }
  /** Answered when so many events have come since the last answer. */
  | { readonly kind: 'await'; readonly receipts: number }
  | { readonly kind: 'leave' };
/** `ended`: connections that ended without being told to. */
export type CrowdAnswer =
  | { readonly kind: 'connected'; readonly setupMs: readonly number[] }
  | {
      readonly kind: 'received';
      readonly receipts: readonly (readonly [string, readonly number[]])[];
      readonly ended: number;
    }
  | { readonly kind: 'left'; readonly ended: number };
type AnswerOf<K extends CrowdAnswer['kind']> = Extract<CrowdAnswer, { readonly kind: K }>;

/** Of one address; a further process has a further address. */
const PER_PROCESS = 2_500;
const HEARD_WITHIN_MS = 60_000;

/** Clients of one server, in as many processes as they need. */
export class Crowd {
  #sizes: number[] = [];

  private constructor(private readonly processes: readonly ChildProcess[]) {}

  static start(size: number): Crowd {
    const program = join(ROOT, 'dist', 'bench', 'servers', 'crowd-clients.js');
    return new Crowd(Array.from({ length: Math.ceil(size / PER_PROCESS) }, () => fork(program, { execArgv: [] })));
  }

  /** As fast as it goes with so many handshakes under way. @returns how long each took, and all */
  async connect(
    url: string,
    tokens: readonly string[],
    inFlight: number,
  ): Promise<{ setupMs: number[]; totalMs: number }> {
    const share = Math.ceil(tokens.length / this.processes.length);
    const since = nowMs();
    const answers = await this.askAll('connected', (index) => ({
      kind: 'connect',
      url,
      tokens: tokens.slice(index * share, (index + 1) * share),
      inFlight: Math.ceil(inFlight / this.processes.length),
      localAddress: `127.0.0.${String(index + 2)}`,
    }));
    const totalMs = nowMs() - since;
    this.#sizes = answers.map(({ setupMs }, index) => (this.#sizes[index] ?? 0) + setupMs.length);
    return { setupMs: answers.flatMap(({ setupMs }) => setupMs), totalMs };
  }

  /**
   * Waits for events that `send` causes at every client.
   * @returns when each event came to each client, by its name. @throws when one came too often, or a connection ended
   */
  async hear(
    events: number,
    send: () => Promise<{ readonly marks: readonly string[]; readonly sinceMs: number }>,
  ): Promise<{ sinceMs: number; timesMs: number[] }> {
    const answers = this.askAll('received', (index) => ({
      kind: 'await',
      receipts: events * (this.#sizes[index] ?? 0),
    }));
    const { marks, sinceMs } = await send();
    const timesMs: number[] = [];
    for (const [index, { receipts, ended }] of (await within(HEARD_WITHIN_MS, answers)).entries()) {
      const size = this.#sizes[index] ?? 0;
      const came = new Map(receipts);
      if (ended > 0 || came.size !== marks.length || marks.some((mark) => came.get(mark)?.length !== size)) {
        throw new Error(`Not every client heard each of ${String(marks.length)} events once.`);
      }
      receipts.forEach(([, times]) => {
        timesMs.push(...times);
      });
    }
    return { sinceMs, timesMs };
  }

  /** Ends the connections. @throws when one had ended before */
  async leave(): Promise<void> {
    const answers = await this.askAll('left', () => ({ kind: 'leave' }));
    if (answers.some(({ ended }) => ended > 0)) {
      throw new Error('A connection ended before its client left.');
    }
    this.#sizes = [];
  }

  stop(): void {
    this.processes.forEach((process) => {
      process.disconnect();
    });
  }

  private askAll<K extends CrowdAnswer['kind']>(
    _kind: K,
    orderOf: (index: number) => CrowdOrder,
  ): Promise<AnswerOf<K>[]> {
    return Promise.all(
      this.processes.map(async (process, index) => {
        const answered = once(process, 'message');
        process.send(orderOf(index));
        const [answer] = (await answered) as [AnswerOf<K>];
        return answer;
      }),
    );
  }
}
