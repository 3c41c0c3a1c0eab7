import { Injectable } from '@nestjs/common';
import { grants } from '../../contracts/devices.js';
import { ForbiddenError } from '../../platform/auth/auth.errors.js';
import { requestContext } from '../../platform/context/request-context.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import { isUuid } from '../../shared/ids.js';
import { type Page } from '../../shared/paging.js';
import { DeviceChangeService } from '../devices/device-change.service.js';
import { CommandEventWriter } from './command-event-writer.js';
import { CommandNotCancellableError, CommandNotFoundError } from './commands.errors.js';
import { CommandsRepository } from './commands.repository.js';
import { type Cancellation, type Command, type CommandFilter } from './commands.types.js';
import { CANCEL_OTHERS_DEMAND } from './domain/command-policy.js';

/** Reads and cancels commands. New ones go through the CommandSubmissionService. */
@Injectable()
export class CommandsService {
  constructor(
    private readonly repository: CommandsRepository,
    private readonly changes: DeviceChangeService,
    private readonly eventWriter: CommandEventWriter,
    private readonly transactions: Transactions,
  ) {}

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
   * Cancels a command that was not sent yet. Of a cancellation and a dispatch that race, exactly one wins.
   * @throws ResourceNotFoundError, ForbiddenError when this user does not control the device any more
   * @throws ForbiddenError when it is the command of another user, and this one does not administer the device
   * @throws CommandNotCancellableError when it is in flight, or settled
   * @throws CommandNotFoundError
   */
  async cancel({ deviceId, commandId, userId }: Cancellation): Promise<Command> {
    return this.transactions.run(async () => {
      const { authority } = await this.changes.begin(userId, deviceId, 'control');
      const { issuerId } = await this.get(deviceId, commandId);
      if (issuerId !== userId && !grants(authority.permission, CANCEL_OTHERS_DEMAND)) {
        throw new ForbiddenError(`device:${CANCEL_OTHERS_DEMAND}`);
      }
      const command = await this.repository.cancel(deviceId, commandId);
      if (!command) {
        throw new CommandNotCancellableError((await this.get(deviceId, commandId)).state);
      }
      await this.eventWriter.recordRequested([{ command, context: requestContext() }]);
      return command;
    });
  }
}
