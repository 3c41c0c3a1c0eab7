import { Injectable } from '@nestjs/common';
import { requestContext } from '../../../platform/context/request-context.js';
import { CommandEventWriter } from '../command-event-writer.js';
import { CommandHandoverRepository } from './command-handover.repository.js';

/** Ends the commands of a device before it is another person's: what one owner ordered must not open the door of the next. */
@Injectable()
export class CommandHandoverService {
  constructor(
    private readonly repository: CommandHandoverRepository,
    private readonly eventWriter: CommandEventWriter,
  ) {}

  /** In the surrounding transaction, which holds the device. */
  async endAll(deviceId: string): Promise<void> {
    const ended = await this.repository.endAll(deviceId);
    if (ended.length > 0) {
      const { actor = 'system', source = 'system' } = requestContext() ?? {};
      await this.eventWriter.recordStates(ended, { actor, source });
    }
  }
}
