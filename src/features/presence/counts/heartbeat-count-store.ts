import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { LINK_KINDS, type LinkKind } from '../../../contracts/devices.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { Clock } from '../../../shared/clock.js';

/** Rates are of the last minute. */
const SECONDS = 60;
const MS_PER_SECOND = 1_000;

type ByKind = Readonly<Record<LinkKind, number>>;

/** The heartbeats that all processes have written since this one began, as far as Redis tells them of one another. */
@Injectable()
export class HeartbeatCountStore implements OnModuleInit, OnModuleDestroy {
  /** By the second in which they were written, oldest first. */
  readonly #bySecond = new Map<number, Record<LinkKind, number>>();
  readonly #since: number;
  #total = 0;
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly signals: SignalBus,
    private readonly clock: Clock,
  ) {
    this.#since = this.second();
  }

  onModuleInit(): void {
    this.#unsubscribe = this.signals.on('heartbeats_written', ({ byKind }) => {
      this.add(byKind);
    });
  }

  onModuleDestroy(): void {
    this.#unsubscribe?.();
  }

  /** Of devices by any link. */
  get total(): number {
    return this.#total;
  }

  /** How many there are in a second: of the last minute, or since this process began. */
  perSecond(): ByKind {
    this.forget();
    const seconds = Math.min(Math.max(this.second() - this.#since, 1), SECONDS);
    const counts = [...this.#bySecond.values()];
    return byKind((kind) => counts.reduce((sum, count) => sum + count[kind], 0) / seconds);
  }

  private add(written: Partial<ByKind>): void {
    const now = this.second();
    const counts = this.#bySecond.get(now) ?? { ...byKind(() => 0) };
    LINK_KINDS.forEach((kind) => {
      counts[kind] += written[kind] ?? 0;
      this.#total += written[kind] ?? 0;
    });
    this.#bySecond.set(now, counts);
    this.forget();
  }

  private forget(): void {
    const first = this.second() - SECONDS;
    for (const second of this.#bySecond.keys()) {
      if (second > first) {
        break;
      }
      this.#bySecond.delete(second);
    }
  }

  private second(): number {
    return Math.floor(this.clock.monotonic() / MS_PER_SECOND);
  }
}

function byKind(valueOf: (kind: LinkKind) => number): Record<LinkKind, number> {
  return { mqtt: valueOf('mqtt'), websocket: valueOf('websocket'), http: valueOf('http') };
}
