import { HttpConnection, type ReceivedAnswer } from './http-connection.js';
import type { LoadOutcome, LoadRun } from './load-plan.js';
import { LoadRecord } from './load-record.js';
import type { ReadyRequest, RequestSource } from './request-source.js';

/** How long answers may take after the last arrival. */
const LAST_ANSWERS_MS = 15_000;
const TICK_MS = 1;
const OPENING = 100;

interface Arrival {
  readonly request: ReadyRequest;
  /** By `performance.now()`: its latency counts from here. */
  readonly due: number;
}

/** One run: requests arrive by a clock, whether or not earlier ones are answered, and wait for a connection where none is free. */
export class OpenLoopRun {
  readonly #record = new LoadRecord();
  readonly #idle: HttpConnection[] = [];
  readonly #all: HttpConnection[];
  /** In the order of their arrival, from `#head` on. */
  #waiting: Arrival[] = [];
  #head = 0;
  #arrived = 0;
  #underWay = 0;
  #gaveUp = false;
  readonly #ended = Promise.withResolvers<undefined>();
  #begun = 0;

  constructor(
    url: string,
    private readonly source: RequestSource,
    private readonly run: LoadRun,
  ) {
    const { hostname, port } = new URL(url);
    this.#all = Array.from({ length: run.connections }, () => new HttpConnection(hostname, Number(port)));
    this.#idle.push(...this.#all);
  }

  async outcome(): Promise<LoadOutcome> {
    await this.openAll();
    this.#begun = performance.now();
    const timer = setInterval(() => {
      this.tick();
    }, TICK_MS);
    this.tick();
    await this.#ended.promise;
    clearInterval(timer);
    const tookMs = performance.now() - this.#begun;
    this.#all.forEach((connection) => {
      connection.close();
    });
    return this.#record.outcome(tookMs, this.#gaveUp);
  }

  /** Before the first arrival, a few at a time: a server forgets those that it has no room for, and they are tried again seconds later. */
  private async openAll(): Promise<void> {
    for (let begin = 0; begin < this.#all.length; begin += OPENING) {
      await Promise.all(this.#all.slice(begin, begin + OPENING).map((connection) => connection.open()));
    }
  }

  private get endsAt(): number {
    return this.#begun + this.run.seconds * 1_000;
  }

  private tick(): void {
    const now = performance.now();
    if (this.run.perSecond !== null && !this.#gaveUp) {
      const due = Math.min(now, this.endsAt);
      for (let at = this.dueOf(this.#arrived); at <= due && at < this.endsAt; at = this.dueOf(this.#arrived)) {
        this.#waiting.push({ request: this.source.next(), due: at });
        this.#arrived += 1;
      }
    }
    this.giveUpLate(now);
    this.sendWaiting();
    this.endWhenDone(now);
  }

  private dueOf(index: number): number {
    return this.#begun + (index * 1_000) / (this.run.perSecond ?? 1);
  }

  private giveUpLate(now: number): void {
    const first = this.#waiting[this.#head];
    if (first && now - first.due > this.run.giveUpAfterMs) {
      this.#gaveUp = true;
      this.#record.lost('never sent', this.#waiting.slice(this.#head));
      this.#waiting = [];
      this.#head = 0;
    }
  }

  private endWhenDone(now: number): void {
    const isOver = this.#gaveUp || now >= this.endsAt;
    if (isOver && this.#underWay === 0 && this.#head === this.#waiting.length) {
      this.#ended.resolve(undefined);
    } else if (now > this.endsAt + LAST_ANSWERS_MS) {
      this.#record.unanswered(this.#underWay + this.#waiting.length - this.#head);
      this.#ended.resolve(undefined);
    }
  }

  private sendWaiting(): void {
    while (this.#idle.length > 0) {
      const arrival = this.nextArrival();
      if (!arrival) {
        return;
      }
      // The one that has rested longest, so that none rests until the server closes it.
      this.send(this.#idle.shift()!, arrival);
    }
  }

  private nextArrival(): Arrival | undefined {
    if (this.run.perSecond === null) {
      const now = performance.now();
      return now < this.endsAt ? { request: this.source.next(), due: now } : undefined;
    }
    const arrival = this.#waiting[this.#head];
    if (arrival) {
      this.#head += 1;
      if (this.#head === this.#waiting.length) {
        this.#waiting = [];
        this.#head = 0;
      }
    }
    return arrival;
  }

  private send(connection: HttpConnection, { request, due }: Arrival): void {
    this.#underWay += 1;
    this.#record.sent(performance.now() - due);
    connection.send(request.bytes, (answer: ReceivedAnswer | Error) => {
      this.#underWay -= 1;
      this.#record.answered(request, answer, performance.now() - due);
      this.#idle.push(connection);
      this.sendWaiting();
    });
  }
}
