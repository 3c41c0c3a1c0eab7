import { inBackground } from '../../../platform/process/faults.js';
import type { SendOutcome } from '../channels/notification-transport.js';
import {
  MESSAGE_LEASE_MS,
  type MessageAttempt,
  type MessageAttemptsRepository,
} from './message-attempts.repository.js';
import type { JudgedMessage } from './message-judge.service.js';

const RENEW_EVERY_MS = 300;
/** Messages that are under way at once. */
const PLACES = 20;
/** Further ones are begun when so many are left: many with one statement. */
const FEW = PLACES / 2;
/** Those that are under way after so long may be so for long: the others do not wait for them. */
const SLOW_AFTER_MS = 200;
/** Then it is the turn of other lanes, unless what is left of this one hangs. */
const SLICE_MS = 3_000;
const HANGS_AFTER_MS = 1_000;

/** A message that was sent, or not. */
export interface AttemptedMessage {
  readonly judged: JudgedMessage;
  readonly outcome: SendOutcome;
}

/**
 * The messages that one job has under way. Their leases are renewed until they are let go. One that hangs keeps its place, and the
 * others go on.
 */
export class MessagePool {
  /** With the moment until which no other worker can have taken them. */
  readonly #held = new Map<string, { readonly attempt: MessageAttempt; untilMs: number }>();
  readonly #ended: AttemptedMessage[] = [];
  /** Held, though its provider has answered: until that is written. */
  #unwritten = 0;
  #wake: (() => void) | undefined;
  #sliceEndsMs = performance.now() + SLICE_MS;
  #lastEndMs = performance.now();
  readonly #renewal: NodeJS.Timeout;
  #isRenewing = false;

  constructor(private readonly attempts: Pick<MessageAttemptsRepository, 'renew'>) {
    this.#renewal = setInterval(() => {
      inBackground(() => this.renew());
    }, RENEW_EVERY_MS);
  }

  /** How many further messages are begun now. */
  get room(): number {
    const nowMs = performance.now();
    const hangs = this.#held.size > 0 && nowMs > this.#sliceEndsMs + HANGS_AFTER_MS;
    if (hangs) {
      this.#sliceEndsMs = nowMs + SLICE_MS;
    }
    if (nowMs >= this.#sliceEndsMs) {
      return 0;
    }
    const underWay = this.#held.size - this.#unwritten;
    const isFew = underWay <= FEW || nowMs > this.#lastEndMs + SLOW_AFTER_MS;
    return isFew ? PLACES - underWay : 0;
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  /** @param askedAtMs when they were asked for: their leases began later */
  hold(attempts: readonly MessageAttempt[], askedAtMs: number): void {
    attempts.forEach((attempt) => this.#held.set(attempt.id, { attempt, untilMs: askedAtMs + MESSAGE_LEASE_MS }));
    this.#lastEndMs = performance.now();
  }

  /** False where another worker may have begun it meanwhile: then it is not for this one to send it. */
  holds({ id }: MessageAttempt): boolean {
    return performance.now() < (this.#held.get(id)?.untilMs ?? 0);
  }

  letGo(attempts: readonly MessageAttempt[]): void {
    attempts.forEach(({ id }) => this.#held.delete(id));
  }

  letGoWritten(written: readonly AttemptedMessage[]): void {
    this.letGo(written.map(({ judged }) => judged.attempt));
    this.#unwritten -= written.length;
  }

  /** It has been sent, or not; it is held until that is written. */
  end(ended: AttemptedMessage): void {
    this.#ended.push(ended);
    this.#unwritten += 1;
    this.#lastEndMs = performance.now();
    this.#wake?.();
  }

  /** What ended since it was asked, once something has, or after a while. */
  async nextEnded(withinMs: number): Promise<AttemptedMessage[]> {
    if (this.#ended.length === 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, withinMs);
        this.#wake = () => {
          clearTimeout(timer);
          // Those that end in the same moment come along.
          setImmediate(resolve);
        };
      });
      this.#wake = undefined;
    }
    return this.#ended.splice(0);
  }

  stop(): void {
    clearInterval(this.#renewal);
  }

  private async renew(): Promise<void> {
    const held = [...this.#held.values()].map(({ attempt }) => attempt);
    if (this.#isRenewing || held.length === 0) {
      return;
    }
    this.#isRenewing = true;
    try {
      const askedAtMs = performance.now();
      for (const id of await this.attempts.renew(held)) {
        const one = this.#held.get(id);
        if (one) {
          one.untilMs = askedAtMs + MESSAGE_LEASE_MS;
        }
      }
    } finally {
      this.#isRenewing = false;
    }
  }
}
