import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import { type RequestContext } from '../../platform/context/request-context.js';
import { EventLog } from '../../platform/events/event-log.js';
import { type Counter, type Histogram, Metrics } from '../../platform/metrics/metrics.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { Signals } from '../../platform/redis/signals.js';
import { type CommandChange } from './commands.types.js';
import { lateResultEvent, type Origin, sentEvent, stateEvent } from './domain/command-events.js';
import { commandMachine } from './domain/command-machine.js';
import { CompletionWaiters } from './completion-waiters.js';

/** What a person did to a command, and in which request. */
interface Deed {
  readonly command: CommandChange;
  readonly context: RequestContext | undefined;
}

/** Every change of the ledger passes here, inside its transaction: into the log now, to whoever waits after the commit. */
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
    private readonly signals: Signals,
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

  /** These commands are now in the state they are in. What comes of several origins says which is whose. */
  async moved(
    commands: readonly CommandChange[],
    origin: Origin | ((command: CommandChange) => Origin),
  ): Promise<void> {
    await this.events.append(
      commands.map((command) => stateEvent(command, typeof origin === 'function' ? origin(command) : origin)),
    );
    this.transactions.afterCommit(() => {
      for (const command of commands) {
        this.#states.inc({ name: command.name, state: command.state });
        this.measure(command);
        if (commandMachine.isTerminal(command.state)) {
          this.waiters.settle(command);
          this.signals.publish('command_settled', { commandId: command.id, deviceId: command.deviceId });
        }
      }
    });
  }

  /** People did this to commands: given, or taken back. Each with the context of the request it comes from. */
  async movedByPeople(deeds: readonly Deed[]): Promise<void> {
    await this.audit.recordEach(
      deeds.map(({ command: { id, deviceId, name, state }, context }) => {
        const action = state === 'CANCELLED' ? 'command_cancelled' : 'command_created';
        return { context, record: { action, entity: { type: 'command', id }, after: { deviceId, name, state } } };
      }),
    );
    const contexts = new Map(deeds.map(({ command, context }) => [command.id, context]));
    await this.moved(
      deeds.map(({ command }) => command),
      ({ id }) => originOf(contexts.get(id)),
    );
  }

  /** These orders go out once more. */
  async resent(commands: readonly CommandChange[], origin: Origin): Promise<void> {
    await this.events.append(commands.map((command) => sentEvent(command, origin)));
    this.transactions.afterCommit(() => {
      commands.forEach(({ name }) => {
        this.#attempts.inc({ name });
      });
    });
  }

  /** A verdict came after TIMED_OUT. */
  async late(command: CommandChange, origin: Origin): Promise<void> {
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

function originOf(context: RequestContext | undefined): Origin {
  return { source: context?.source ?? 'system', actor: context?.actor ?? 'system' };
}

function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, to.getTime() - from.getTime()) / 1_000;
}
