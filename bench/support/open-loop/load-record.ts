import type { ReceivedAnswer } from './http-connection.js';
import type { KindOutcome, Latencies, LoadOutcome } from './load-plan.js';
import type { ReadyRequest } from './request-source.js';

interface Kind {
  readonly good: number[];
  readonly refused: number[];
  readonly wrong: Record<string, number>;
}

/** Of a wrong answer. */
const SHOWN_BYTES = 400;

const newKind = (): Kind => ({ good: [], refused: [], wrong: {} });

/** What became of each request of a run. */
export class LoadRecord {
  readonly #kinds = new Map<string, Kind>();
  readonly #late: number[] = [];
  #firstWrong: string | null = null;

  sent(lateMs: number): void {
    this.#late.push(lateMs);
  }

  answered(request: ReadyRequest, answer: ReceivedAnswer | Error, tookMs: number): void {
    const kind = this.kind(request.kind);
    if (answer instanceof Error) {
      this.count(kind, (answer as NodeJS.ErrnoException).code ?? answer.message);
    } else if (isGood(request, answer)) {
      kind.good.push(tookMs);
    } else if (isRefusal(answer)) {
      kind.refused.push(tookMs);
    } else {
      this.#firstWrong ??= describe(request, answer);
      this.count(kind, [answer.status, codeOf(answer) ?? 'not as expected'].join(' '));
    }
  }

  lost(why: string, arrivals: readonly { readonly request: ReadyRequest }[]): void {
    arrivals.forEach(({ request }) => {
      this.count(this.kind(request.kind), why);
    });
  }

  /** By the end of the run; the kinds do not count them. */
  unanswered(count: number): void {
    const kind = this.kind('unanswered');
    kind.wrong.unanswered = count;
  }

  outcome(tookMs: number, gaveUp: boolean): LoadOutcome {
    const all = newKind();
    for (const { good, refused, wrong } of this.#kinds.values()) {
      good.forEach((each) => all.good.push(each));
      refused.forEach((each) => all.refused.push(each));
      Object.entries(wrong).forEach(([why, count]) => {
        all.wrong[why] = (all.wrong[why] ?? 0) + count;
      });
    }
    return {
      all: outcomeOf(all),
      kinds: Object.fromEntries([...this.#kinds].map(([name, kind]) => [name, outcomeOf(kind)])),
      perSecond: ((all.good.length + all.refused.length) * 1_000) / tookMs,
      firstWrong: this.#firstWrong,
      gaveUp,
      sentLate: latencies(this.#late),
    };
  }

  private kind(name: string): Kind {
    const known = this.#kinds.get(name);
    if (known) {
      return known;
    }
    const kind = newKind();
    this.#kinds.set(name, kind);
    return kind;
  }

  private count({ wrong }: Kind, why: string): void {
    wrong[why] = (wrong[why] ?? 0) + 1;
  }
}

function isGood({ status, text, times }: ReadyRequest, answer: ReceivedAnswer): boolean {
  return answer.status === status && occurrences(answer.body, text) === times;
}

/** It says that there is too much to do, and when to come back. */
function isRefusal(answer: ReceivedAnswer): boolean {
  return answer.status === 503 && codeOf(answer) === 'busy' && answer.head.includes('\r\nretry-after: ');
}

function describe({ bytes }: ReadyRequest, { head, body }: ReceivedAnswer): string {
  const [asked, answered] = [bytes.toString(), head].map((text) => text.split('\r\n', 1)[0]);
  return `${String(asked)}: ${String(answered)} ${body.toString('utf8', 0, SHOWN_BYTES)}`;
}

function occurrences(body: Buffer, text: string): number {
  let count = 0;
  for (let at = body.indexOf(text); at >= 0; at = body.indexOf(text, at + text.length)) {
    count += 1;
  }
  return count;
}

function codeOf({ body }: ReceivedAnswer): string | undefined {
  return /"code":"(\w+)"/.exec(body.toString())?.[1];
}

function outcomeOf({ good, refused, wrong }: Kind): KindOutcome {
  return { good: latencies(good), refused: latencies(refused), wrong };
}

function latencies(values: readonly number[]): Latencies {
  const sorted = Float64Array.from(values).sort();
  const at = (percent: number): number => sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? NaN;
  return { count: sorted.length, p50: at(50), p95: at(95), p99: at(99), max: sorted.at(-1) ?? NaN };
}
