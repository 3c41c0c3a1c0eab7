import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Account } from '../accounts.fixture.js';
import { type Answer, request } from '../rest.js';

/** What one client wants, until it was told what became of it. */
export interface Wish {
  readonly deviceId: string;
  readonly name: 'lock_door' | 'unlock_door';
  readonly key: string;
  /** Which API is asked first. */
  readonly first: number;
  /** The command, once it was accepted. */
  id?: string;
  /** Why it was refused for good. */
  refusal?: string;
  attempts: number;
}

export interface TrafficOptions {
  /** Base URLs of all APIs. */
  readonly apis: readonly string[];
  readonly owner: Account;
  readonly random: () => number;
  /** Longest pause of a client between two wishes. */
  readonly pauseMs: number;
  readonly clientsPerLock?: number;
}

type Reply = Answer<{ id?: string; code?: string }>;

/** As a phone does: a process that hangs must not make its user wait. */
const PATIENCE_MS = 7_000;
const WAIT_S = 5;
const LONGEST_RETRY_MS = 400;
/** Of the accepted wishes, so many are sent once more, to another API. */
const SENT_AGAIN = 0.1;
/** Without any answer for this long, a client reports that and goes on. */
const NO_ANSWER_AFTER_MS = 180_000;
const REFUSED_FOR_GOOD = ['device_offline', 'queue_full', 'device_uptime_fell'];

/**
 * Clients of locks. Each sends a wish to one of the APIs, and goes on asking with the same Idempotency-Key, also at the
 * others, until it has an answer.
 */
export class Traffic {
  readonly wishes: Wish[] = [];
  /** Answers that no client may get: another command for a key it had used, an unknown refusal, none at all. */
  readonly wrong: string[] = [];
  /** Wishes that became commands. */
  accepted = 0;
  /** Accepted wishes that were sent once more. */
  sentAgain = 0;
  #going = true;
  #abandoned = false;
  #clients: Promise<void>[] = [];

  constructor(private readonly options: TrafficOptions) {}

  start(deviceIds: readonly string[]): void {
    const { clientsPerLock = 1 } = this.options;
    this.#clients = deviceIds.flatMap((deviceId) => Array.from({ length: clientsPerLock }, () => this.visit(deviceId)));
  }

  /** Wishes that took more than one request. */
  get retried(): number {
    return this.wishes.filter(({ attempts }) => attempts > 1).length;
  }

  /** Settles when every wish has its answer. */
  async stop(): Promise<void> {
    this.#going = false;
    await Promise.all(this.#clients);
  }

  /** Ends without waiting for answers: after a failure there is nothing left that could give them. */
  abandon(): void {
    this.#going = false;
    this.#abandoned = true;
  }

  private async visit(deviceId: string): Promise<void> {
    const { apis, random, pauseMs } = this.options;
    await pause(random() * pauseMs);
    for (let turn = 0; this.#going; turn += 1) {
      const name = turn % 2 === 0 ? 'unlock_door' : 'lock_door';
      const first = Math.floor(random() * apis.length);
      const wish: Wish = { deviceId, name, key: randomUUID(), first, attempts: 0 };
      this.wishes.push(wish);
      await this.fulfil(wish, random() < 0.5);
      await pause(random() * pauseMs);
    }
  }

  /** @param waits for the outcome, as `Prefer: wait` offers. */
  private async fulfil(wish: Wish, waits: boolean): Promise<void> {
    const { random } = this.options;
    const end = performance.now() + NO_ANSWER_AFTER_MS;
    while (isOpen(wish) && !this.#abandoned) {
      if (performance.now() > end) {
        this.wrong.push(`${wish.key}: no answer in ${String(wish.attempts)} attempts`);
        return;
      }
      this.take(wish, await this.ask(wish, waits));
      if (isOpen(wish)) {
        await pause(random() * LONGEST_RETRY_MS);
      }
    }
    if (wish.id !== undefined && random() < SENT_AGAIN) {
      this.sentAgain += 1;
      this.take(wish, await this.ask(wish, false));
      wish.attempts -= 1;
    }
  }

  private take(wish: Wish, reply: Reply | null): void {
    if (reply === null || reply.status >= 500) {
      return;
    }
    const { id, code = String(reply.status) } = reply.body;
    if (reply.status < 300 && id !== undefined) {
      this.accept(wish, id);
    } else if (code !== 'idempotency_key_in_use') {
      this.refuse(wish, code);
    }
  }

  private accept(wish: Wish, id: string): void {
    if (wish.id === undefined) {
      this.accepted += 1;
      wish.id = id;
    } else if (wish.id !== id) {
      this.wrong.push(`${wish.key}: ${wish.id} first, ${id} later`);
    }
  }

  private refuse(wish: Wish, code: string): void {
    if (wish.id !== undefined || !REFUSED_FOR_GOOD.includes(code)) {
      this.wrong.push(`${wish.key}: ${code}, after ${wish.id ?? 'no answer'}`);
    }
    wish.refusal ??= code;
  }

  private ask(wish: Wish, waits: boolean): Promise<Reply | null> {
    const { apis, owner } = this.options;
    const { deviceId, name, key, first } = wish;
    const base = apis[(first + wish.attempts) % apis.length] ?? '';
    wish.attempts += 1;
    return request<{ id?: string; code?: string }>(base, 'POST', `/api/v1/devices/${deviceId}/commands`, {
      token: owner.accessToken,
      body: { name },
      headers: { 'idempotency-key': key, ...(waits ? { prefer: `wait=${String(WAIT_S)}` } : {}) },
      patienceMs: PATIENCE_MS,
    }).catch(() => null);
  }
}

function isOpen({ id, refusal }: Wish): boolean {
  return id === undefined && refusal === undefined;
}
