import { Injectable } from '@nestjs/common';
import { requestContext } from '../../platform/context/request-context.js';
import { Idempotency } from '../../platform/idempotency/idempotency.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { Signals } from '../../platform/redis/signals.js';
import { isUuid, newId } from '../../shared/ids.js';
import { type Page } from '../../shared/paging.js';
import { CommandRecorder } from './command-recorder.js';
import {
  CommandNotCancellableError,
  CommandNotFoundError,
  CommandNotSupportedError,
  CommandQueueFullError,
  DeviceOfflineError,
  InvalidCursorError,
} from './commands.errors.js';
import { CommandsRepository, type Creation } from './commands.repository.js';
import { type Command, type CommandChange, type CommandFilter, type CommandRequest } from './commands.types.js';
import { type Origin } from './domain/command-events.js';
import { commandMachine } from './domain/command-machine.js';
import { MAX_QUEUED_PER_DEVICE, policyOf } from './domain/command-policy.js';
import { decodePosition } from './domain/command-position.js';
import { SettledWaiters } from './settled-waiters.js';

/** Who gives an order, and to which device. */
export interface Errand {
  deviceId: string;
  issuerId: string;
}

/**
 * The ledger of commands, for people: give an order, take it back, look. What happens to an order afterwards is the
 * hardware role's business.
 */
@Injectable()
export class CommandsService {
  constructor(
    private readonly repository: CommandsRepository,
    private readonly recorder: CommandRecorder,
    private readonly transactions: Transactions,
    private readonly idempotency: Idempotency,
    private readonly signals: Signals,
    private readonly waiters: SettledWaiters,
  ) {}

  /**
   * Queues a command. When this returns, the command survives any crash and will reach a terminal state. A repeat of
   * the same idempotent request answers with the first one's command.
   * @param waitMs how long to wait for a terminal state; left out or 0, it answers at once.
   * @throws DeviceOfflineError for a command that must not wait (`unlock_door`) to a device without a link
   * @throws CommandNotSupportedError, CommandQueueFullError
   */
  async send(errand: Errand, request: CommandRequest, waitMs = 0): Promise<Command> {
    const id = newId();
    const waiter = waitMs > 0 ? this.waiters.open(id, waitMs) : null;
    try {
      const command = await this.queue(id, errand, request);
      if (command.id !== id) {
        return await this.outcomeOfRepeat(command, waitMs);
      }
      return (await waiter?.settled) ?? command;
    } finally {
      waiter?.release();
    }
  }

  /** @throws CommandNotFoundError when there is none, or it is another device's. */
  async get(deviceId: string, id: string): Promise<Command> {
    const command = isUuid(id) ? await this.repository.find(deviceId, id) : null;
    if (!command) {
      throw new CommandNotFoundError();
    }
    return command;
  }

  /**
   * Commands of a device, newest first.
   * @throws InvalidCursorError
   */
  async list(
    deviceId: string,
    filter: CommandFilter,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<Page<Command>> {
    const after = page.cursor === undefined ? null : decodePosition(page.cursor);
    if (page.cursor !== undefined && !after) {
      throw new InvalidCursorError();
    }
    return this.repository.listPage(deviceId, filter, { limit: page.limit, after });
  }

  /**
   * Takes back a command that was not sent yet. Of a cancel and a dispatch that race, exactly one wins.
   * @throws CommandNotCancellableError when it is on its way, or settled
   * @throws CommandNotFoundError
   */
  async cancel(deviceId: string, id: string): Promise<Command> {
    return this.transactions.run(async () => {
      const command = isUuid(id) ? await this.repository.cancel(deviceId, id) : null;
      if (!command) {
        throw new CommandNotCancellableError((await this.get(deviceId, id)).state);
      }
      await this.recorder.movedByPerson(command, origin());
      return command;
    });
  }

  private queue(id: string, errand: Errand, request: CommandRequest): Promise<Command> {
    return this.transactions.run(async () => {
      let made: CommandChange | undefined;
      const { id: claimedId } = await this.idempotency.once(async () => {
        made = await this.create(id, errand, request);
        return id;
      });
      return made ?? this.get(errand.deviceId, claimedId);
    });
  }

  private async create(id: string, { deviceId, issuerId }: Errand, request: CommandRequest): Promise<CommandChange> {
    const policy = policyOf(request.name);
    const correlationId = requestContext()?.requestId ?? id;
    const creation = await this.repository.create({ ...request, id, deviceId, issuerId, correlationId, policy });
    if (!creation.command) {
      throw refusalOf(creation, deviceId, request);
    }
    await this.recorder.movedByPerson(creation.command, origin());
    this.transactions.afterCommit(() => {
      this.signals.publish('command_queued', { deviceId });
    });
    return creation.command;
  }

  private async outcomeOfRepeat(command: Command, waitMs: number): Promise<Command> {
    const waiter = waitMs > 0 ? this.waiters.open(command.id, waitMs) : null;
    try {
      const current = await this.get(command.deviceId, command.id);
      if (!waiter || isSettled(current)) {
        return current;
      }
      return (await waiter.settled) ?? current;
    } finally {
      waiter?.release();
    }
  }
}

/** Whether a command will not change any more. */
export function isSettled(command: Command): boolean {
  return commandMachine.isTerminal(command.state);
}

function origin(): Origin {
  const context = requestContext();
  return { source: context?.source ?? 'system', actor: context?.actor ?? 'system' };
}

function refusalOf(creation: Extract<Creation, { refusal: string }>, deviceId: string, request: CommandRequest): Error {
  switch (creation.refusal) {
    case 'unknown_device':
      return new CommandNotFoundError();
    case 'not_supported':
      return new CommandNotSupportedError(request.name, creation.deviceType);
    case 'offline':
      return new DeviceOfflineError(deviceId);
    case 'queue_full':
      return new CommandQueueFullError(MAX_QUEUED_PER_DEVICE);
  }
}
