import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { MicroBatcher } from '../../platform/batching/micro-batcher.js';
import { outsideTransaction } from '../../platform/prisma/transactions.js';
import { SignalBus } from '../../platform/redis/signal-bus.js';
import { CommandsRepository } from './commands.repository.js';
import { type Command } from './commands.types.js';

/** Requests that wait at most; further ones get their 202 at once. */
const MAX_WAITERS = 1_000;
/** A signal may be lost: therefore one query looks for all commands that are waited for. */
const POLL_INTERVAL_MS = 500;

/** A request that waits for a command to settle. Always {@link release} it. */
export interface Waiter {
  /** The command as it settled; null when the time was up or the process stops. */
  readonly settled: Promise<Command | null>;
  release(): void;
}

type End = (settled: Command | null) => void;

/**
 * Requests that wait for the outcome of a command. A command that settles in this process is passed on directly. When
 * another process settles it, a signal names it, and those of one moment are read by one query.
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
    private readonly signals: SignalBus,
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

  /** Ends the waiting for this command. Its terminal state must be committed. */
  settle(command: Command): void {
    this.end(command.id, command);
  }

  /**
   * Starts waiting. Call it *before* reading the command: otherwise a change in between is missed.
   * @returns null when too many requests wait already
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

  /** Requests that wait now. */
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
      // The next poll comes within half a second.
      this.logger.warn({ err: error }, 'Could not read a settled command');
    }
  }

  private async read(ids: readonly string[]): Promise<(Command | undefined)[]> {
    const settled = new Map((await this.repository.listSettled(ids)).map((command) => [command.id, command]));
    return ids.map((id) => settled.get(id));
  }

  /** Polls only while requests wait. */
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
      this.logger.warn({ err: error }, 'Could not poll for settled commands');
    }
    this.#poll = undefined;
    if (this.#count > 0) {
      this.schedulePoll();
    }
  }
}
