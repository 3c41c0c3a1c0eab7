import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { MicroBatcher } from '../../platform/batching/micro-batcher.js';
import { outsideTransaction } from '../../platform/prisma/transaction.js';
import { Signals } from '../../platform/redis/signals.js';
import { CommandsRepository } from './commands.repository.js';
import { type Command } from './commands.types.js';

/** More requests than this do not wait: they get their 202 at once. */
const MAX_WAITERS = 1_000;
/** The signal may be lost; then the row says it. One query for all who wait. */
const POLL_INTERVAL_MS = 500;

/** Somebody waiting for a command to settle. Always {@link release} it. */
export interface Waiter {
  /** The command as it settled; null when time was up. */
  readonly settled: Promise<Command | null>;
  release(): void;
}

type End = (settled: Command | null) => void;

/**
 * Requests that wait for the outcome of a command. Whoever settles one in this process hands it over; of those that
 * another process settles, a signal tells, and they are read together.
 */
@Injectable()
export class CompletionWaiters implements OnModuleInit, OnApplicationShutdown {
  readonly #waiting = new Map<string, Set<End>>();
  readonly #reader = new MicroBatcher<string, Command | undefined>({
    maxBatch: MAX_WAITERS,
    maxParallel: 1,
    maxWaiting: MAX_WAITERS,
    run: (ids) => this.read(ids),
  });
  #count = 0;
  #poll: NodeJS.Timeout | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly signals: Signals,
    private readonly repository: CommandsRepository,
    private readonly logger: PinoLogger,
  ) {
    logger.setContext(CompletionWaiters.name);
  }

  onModuleInit(): void {
    this.#unsubscribe = this.signals.on('command_settled', ({ commandId }) => {
      if (this.#waiting.has(commandId)) {
        void this.readSoon(commandId);
      }
    });
  }

  onApplicationShutdown(): void {
    this.#unsubscribe?.();
    clearTimeout(this.#poll);
    for (const id of [...this.#waiting.keys()]) {
      this.end(id, null);
    }
  }

  /** Everybody who waits for this command gets it as it is: it has settled, and that is committed. */
  settle(command: Command): void {
    this.end(command.id, command);
  }

  /**
   * Starts waiting. Open it *before* looking at the command, or the moment between is missed. Null when too many wait
   * already.
   */
  open(commandId: string, timeoutMs: number): Waiter | null {
    if (this.#count >= MAX_WAITERS) {
      return null;
    }
    const { promise, resolve } = Promise.withResolvers<Command | null>();
    const timer = setTimeout(() => {
      end(null);
    }, timeoutMs);
    const end: End = (settled) => {
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
        end(null);
      },
    };
  }

  /** How many wait now. */
  get size(): number {
    return this.#count;
  }

  private end(commandId: string, settled: Command | null): void {
    for (const end of [...(this.#waiting.get(commandId) ?? [])]) {
      end(settled);
    }
  }

  private remove(commandId: string, end: End): boolean {
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

  private async readSoon(commandId: string): Promise<void> {
    try {
      const command = await this.#reader.submit(commandId);
      if (command) {
        this.settle(command);
      }
    } catch (error) {
      // The next look at all of them comes within half a second.
      this.logger.warn({ err: error }, 'Could not read a settled command');
    }
  }

  private async read(ids: readonly string[]): Promise<(Command | undefined)[]> {
    const settled = new Map((await this.repository.listSettled(ids)).map((command) => [command.id, command]));
    return ids.map((id) => settled.get(id));
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
      settled.forEach((command) => {
        this.settle(command);
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
