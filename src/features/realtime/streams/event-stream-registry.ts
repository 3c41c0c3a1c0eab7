import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { OverloadedError } from '../../../platform/http/admission/admission-limiter.js';
import { COMMENT } from '../../../platform/http/streams/event-frame.js';
import type { EventStream } from '../../../platform/http/streams/event-stream.js';
import { Metrics } from '../../../platform/metrics/metrics.js';
import { liveRefusals } from '../../../platform/realtime/live-refusals.js';
import { TooManyStreamsError } from './streams.errors.js';

/** More than a person has tabs and programs: streams whose clients are gone stay for minutes. */
const MAX_OF_PERSON = 20;
/** Each holds a file descriptor and some kilobytes. */
const MAX_OF_PROCESS = 10_000;
const CHECK_EVERY_MS = 1_000;
/** A stream is not silent for longer than 15 s. */
const COMMENT_AFTER_MS = 14_000;
/** As a socket: so long a stream goes on whose token has expired. */
const GRACE_MS = 30_000;

/** A stream with whose it is. */
export interface OpenStream {
  readonly userId: string;
  readonly sessionId: string;
  /** When the access token expires that it was opened with, in milliseconds since 1970. */
  readonly expiresAtMs: number;
  readonly stream: EventStream;
}

/** The event streams of people that are open in this process: how many there may be, and that none falls silent. */
@Injectable()
export class EventStreamRegistry implements OnModuleDestroy {
  readonly #open = new Set<OpenStream>();
  readonly #ofPerson = new Map<string, number>();
  readonly #refused;
  #onExpired: (open: OpenStream) => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(metrics: Metrics) {
    this.#refused = liveRefusals(metrics);
    metrics.gauge('mortise_event_streams', 'Event streams of people that are open in this process', [], (gauge) => {
      gauge.set(this.#open.size);
    });
  }

  onModuleDestroy(): void {
    clearInterval(this.#timer);
  }

  get size(): number {
    return this.#open.size;
  }

  /** @param listener ends what has no token any more */
  onExpired(listener: (open: OpenStream) => void): void {
    this.#onExpired = listener;
  }

  /** @throws TooManyStreamsError, OverloadedError where there is no room for one more */
  assertRoom(userId: string): void {
    if ((this.#ofPerson.get(userId) ?? 0) >= MAX_OF_PERSON) {
      this.#refused('streams');
      throw new TooManyStreamsError(MAX_OF_PERSON);
    }
    if (this.#open.size >= MAX_OF_PROCESS) {
      this.#refused('streams');
      throw new OverloadedError();
    }
  }

  /** Until it is closed. */
  add(open: OpenStream): void {
    this.#timer ??= setInterval(() => {
      this.look();
    }, CHECK_EVERY_MS).unref();
    this.#open.add(open);
    this.#ofPerson.set(open.userId, (this.#ofPerson.get(open.userId) ?? 0) + 1);
    open.stream.onClose(() => {
      this.remove(open);
    });
  }

  all(): readonly OpenStream[] {
    return [...this.#open];
  }

  /** Breaks silences, and ends what has expired. */
  look(now = Date.now()): void {
    for (const open of this.#open) {
      if (now >= open.expiresAtMs + GRACE_MS) {
        this.#onExpired(open);
      } else if (open.stream.silentMs >= COMMENT_AFTER_MS) {
        open.stream.write(COMMENT);
      }
    }
  }

  private remove(open: OpenStream): void {
    if (this.#open.delete(open)) {
      const left = (this.#ofPerson.get(open.userId) ?? 1) - 1;
      if (left > 0) {
        this.#ofPerson.set(open.userId, left);
      } else {
        this.#ofPerson.delete(open.userId);
      }
    }
  }
}
