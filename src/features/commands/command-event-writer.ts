import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import { type RequestContext } from '../../platform/context/request-context.js';
import { EventLog } from '../../platform/events/event-log.js';
import { type Counter, type Histogram, Metrics } from '../../platform/metrics/metrics.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import { SignalBus } from '../../platform/redis/signal-bus.js';
import { type CommandChange } from './commands.types.js';
import { CompletionWaiters } from './completion-waiters.js';
import { type EventOrigin, lateResultEvent, sentEvent, stateEvent } from './domain/command-events.js';
import { isSettled } from './domain/command-machine.js';

/** A command that a request created or cancelled, with the context of that request. */
interface RequestedChange {
  readonly command: CommandChange;
  readonly context: RequestContext | undefined;
}

/**
 * Writes the events of every change of a command, inside its transaction. After the commit it counts the change and
 * tells the requests that wait for the outcome.
 */
@Injectable()
export class CommandEventWriter {
  readonly #states: Counter<'name' | 'state'>;
  readonly #attempts: Counter<'name'>;
  readonly #dispatchLatency: Histogram<'name'>;
  readonly #verdictLatency: Histogram<'name'>;

  constructor(
    private readonly events: EventLog,
    private readonly audit: AuditWriter,
    private readonly transactions: Transactions,
    private readonly signals: SignalBus,
    private readonly waiters: CompletionWaiters,
    metrics: Metrics,
  ) {
    this.#states = metrics.counter('mortise_commands_total', 'Commands that reached a state', ['name', 'state']);
    this.#attempts = metrics.counter('mortise_command_resends_total', 'Orders that were sent again', ['name']);
    this.#dispatchLatency = metrics.latency(
      'mortise_command_dispatch_seconds',
      'From accepting a command to sending it',
      ['name'],
    );
    this.#verdictLatency = metrics.latency(
      'mortise_command_verdict_seconds',
      "From sending a command to the device's verdict",
      ['name'],
    );
  }

  /**
   * Records that these commands have just reached the state they are in.
   * @param origin of all of them, or a function that answers that of each
   */
  async recordStates(
    commands: readonly CommandChange[],
    origin: EventOrigin | ((command: CommandChange) => EventOrigin),
  ): Promise<void> {
    await this.events.append(
      commands.map((command) => stateEvent(command, typeof origin === 'function' ? origin(command) : origin)),
    );
    this.transactions.afterCommit(() => {
      for (const command of commands) {
        this.#states.inc({ name: command.name, state: command.state });
        this.measure(command);
        if (isSettled(command)) {
          this.waiters.settle(command);
          this.signals.publish('command_settled', { commandId: command.id, deviceId: command.deviceId });
        }
      }
    });
  }

  /** Records that requests created or cancelled commands, in the events and in the audit trail. */
  async recordRequested(changes: readonly RequestedChange[]): Promise<void> {
    await this.audit.recordEach(
      changes.map(({ command: { id, deviceId, name, state }, context }) => {
        const action = state === 'CANCELLED' ? 'command_cancelled' : 'command_created';
        return { context, record: { action, entity: { type: 'command', id }, after: { deviceId, name, state } } };
      }),
    );
    const contexts = new Map(changes.map(({ command, context }) => [command.id, context]));
    await this.recordStates(
      changes.map(({ command }) => command),
      ({ id }) => originOf(contexts.get(id)),
    );
  }

  /** Records that the orders of these commands are sent again. */
  async recordResends(commands: readonly CommandChange[], origin: EventOrigin): Promise<void> {
    await this.events.append(commands.map((command) => sentEvent(command, origin)));
    this.transactions.afterCommit(() => {
      commands.forEach(({ name }) => {
        this.#attempts.inc({ name });
      });
    });
  }

  /** Records a verdict that came after TIMED_OUT. */
  async recordLateResult(command: CommandChange, origin: EventOrigin): Promise<void> {
    if (command.lateResult) {
      await this.events.append(lateResultEvent(command, command.lateResult, origin));
    }
  }

  private measure({ name, state, createdAt, sentAt, finishedAt }: CommandChange): void {
    if (state === 'SENT' && sentAt) {
      this.#dispatchLatency.observe({ name }, secondsBetween(createdAt, sentAt));
    }
    if ((state === 'EXECUTED' || state === 'FAILED') && sentAt && finishedAt) {
      this.#verdictLatency.observe({ name }, secondsBetween(sentAt, finishedAt));
    }
  }
}

function originOf(context: RequestContext | undefined): EventOrigin {
  return { source: context?.source ?? 'system', actor: context?.actor ?? 'system' };
}

function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, to.getTime() - from.getTime()) / 1_000;
}
