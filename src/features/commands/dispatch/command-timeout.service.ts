import { Injectable } from '@nestjs/common';
import { Transactions } from '../../../platform/prisma/transaction.js';
import { CommandEventWriter } from '../command-event-writer.js';
import { type CommandChange } from '../commands.types.js';
import { AcknowledgementRepository } from '../acknowledgement.repository.js';

/** Commands whose time is up: not sent in their life, or not answered in time. */
@Injectable()
export class CommandTimeoutService {
  constructor(
    private readonly repository: AcknowledgementRepository,
    private readonly recorder: CommandEventWriter,
    private readonly transactions: Transactions,
  ) {}

  /** Settles up to `limit` of each kind. @returns whether there may be more. */
  async settle(limit: number): Promise<boolean> {
    const { expired, silent } = await this.repository.findOverdue();
    const counts = [
      expired ? await this.record(() => this.repository.expireOverdue(limit)) : 0,
      silent ? await this.record(() => this.repository.timeOutSilent(limit)) : 0,
    ];
    return counts.includes(limit);
  }

  private async record(change: () => Promise<CommandChange[]>): Promise<number> {
    const commands = await this.transactions.independently(async () => {
      const changed = await change();
      await this.recorder.moved(changed, { source: 'system', actor: 'system' });
      return changed;
    });
    return commands.length;
  }
}
