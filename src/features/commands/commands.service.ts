import { Injectable } from '@nestjs/common';
import { requestContext } from '../../platform/context/request-context.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { isUuid, newId } from '../../shared/ids.js';
import { type Page } from '../../shared/paging.js';
import { CommandSubmissionService } from './command-submission.service.js';
import { CommandEventWriter } from './command-event-writer.js';
import { CommandNotCancellableError, CommandNotFoundError } from './commands.errors.js';
import { CommandsRepository } from './commands.repository.js';
import { type Command, type CommandFilter, type CommandRequest, type Errand } from './commands.types.js';
import { commandMachine } from './domain/command-machine.js';
import { CompletionWaiters } from './completion-waiters.js';

/**
 * The ledger of commands, for people: give an order, take it back, look. What happens to an order afterwards is the
 * hardware role's business.
 */
@Injectable()
export class CommandsService {
  constructor(
    private readonly repository: CommandsRepository,
    private readonly recorder: CommandEventWriter,
    private readonly transactions: Transactions,
    private readonly intake: CommandSubmissionService,
    private readonly waiters: CompletionWaiters,
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
      const { command, earlierId } = await this.intake.accept(id, errand, request);
      return command ? ((await waiter?.settled) ?? command) : await this.outcomeOfRepeat(errand, earlierId, waitMs);
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
  list(
    deviceId: string,
    filter: CommandFilter,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<Page<Command>> {
    return this.repository.listPage(deviceId, filter, page);
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
      await this.recorder.movedByPeople([{ command, context: requestContext() }]);
      return command;
    });
  }

  private async outcomeOfRepeat({ deviceId }: Errand, id: string, waitMs: number): Promise<Command> {
    const waiter = waitMs > 0 ? this.waiters.open(id, waitMs) : null;
    try {
      const current = await this.get(deviceId, id);
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
