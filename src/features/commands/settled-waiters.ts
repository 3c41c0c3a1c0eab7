import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { outsideTransaction } from '../../platform/prisma/transaction.js';
import { Signals } from '../../platform/redis/signals.js';
import { CommandsRepository } from './commands.repository.js';

/** More requests than this do not wait: they get their 202 at once. */
const MAX_WAITERS = 1_000;
/** The signal may be lost; then the row says it. One query for all who wait. */
const POLL_INTERVAL_MS = 500;

/** Somebody waiting for a command to settle. Always {@link release} it. */
export interface Waiter {
  /** True when the command settled, false when time was up. */
  readonly settled: Promise<boolean>;
  release(): void;
}

/** Requests that wait for the outcome of a command. */
@Injectable()
export class SettledWaiters implements OnModuleInit, OnApplicationShutdown {
  readonly #waiting = new Map<string, Set<(settled: boolean) => void>>();
  #count = 0;
  #poll: NodeJS.Timeout | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly signals: Signals,
    private readonly repository: CommandsRepository,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(SettledWaiters.name);
  }

  onModuleInit(): void {
    this.#unsubscribe = this.signals.on('command_settled', ({ commandId }) => {
      this.settle(commandId, true);
    });
  }

  onApplicationShutdown(): void {
    this.#unsubscribe?.();
    clearTimeout(this.#poll);
    for (const id of [...this.#waiting.keys()]) {
      this.settle(id, false);
    }
  }

  /**
   * Starts waiting. Open it *before* looking at the command, or the moment between is missed. Null when too many wait
   * already.
   */
  open(commandId: string, timeoutMs: number): Waiter | null {
    if (this.#count >= MAX_WAITERS) {
      return null;
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => {
      end(false);
    }, timeoutMs);
    const end = (settled: boolean): void => {
      if (this.remove(commandId, end)) {
        clearTimeout(timer);
        resolve(settled);
      }
    };
    this.#waiting.set(commandId, (this.#waiting.get(commandId) ?? new Set()).add(end));
    this.#count += 1;
    this.schedulePoll();
    return {
      settled: promise,
      release: () => {
        end(false);
      },
    };
  }

  /** How many wait now. */
  get size(): number {
    return this.#count;
  }

  private settle(commandId: string, settled: boolean): void {
    for (const end of [...(this.#waiting.get(commandId) ?? [])]) {
      end(settled);
    }
  }

  private remove(commandId: string, end: (settled: boolean) => void): boolean {
    const ends = this.#waiting.get(commandId);
    if (!ends?.delete(end)) {
      return false;
    }
    this.#count -= 1;
    if (ends.size === 0) {
      this.#waiting.delete(commandId);
    }
    return true;
  }

  /** Runs only while somebody waits. */
  private schedulePoll(): void {
    this.#poll ??= setTimeout(() => {
      void outsideTransaction(() => this.poll());
    }, POLL_INTERVAL_MS);
  }

  private async poll(): Promise<void> {
    try {
      const ids = [...this.#waiting.keys()];
      const settled = ids.length > 0 ? await this.repository.listSettled(ids) : [];
      settled.forEach((id) => {
        this.settle(id, true);
      });
    } catch (error) {
      this.logger.warn({ err: error }, 'Could not look for settled commands');
    }
    this.#poll = undefined;
    if (this.#count > 0) {
      this.schedulePoll();
    }
  }
}
