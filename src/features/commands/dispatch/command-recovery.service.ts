import { Injectable } from '@nestjs/common';
import { CommandEventWriter } from '../command-event-writer.js';
import { CommandRecoveryRepository } from './command-recovery.repository.js';

/** Commands settled by one statement: their events are held in memory. */
const BATCH = 2_000;

/** What a restored database needs before it may command devices that have gone on without it. */
@Injectable()
export class CommandRecoveryService {
  constructor(
    private readonly repository: CommandRecoveryRepository,
    private readonly eventWriter: CommandEventWriter,
  ) {}

  /** Ends every command that is not settled, with its events, in the surrounding transaction. @returns how many */
  async settleOpen(): Promise<number> {
    let settled = 0;
    let last: string | null = null;
    do {
      const commands = await this.repository.settleOpen(last, BATCH);
      await this.eventWriter.recordStates(commands, { source: 'system', actor: 'system' });
      settled += commands.length;
      last = commands.length < BATCH ? null : (commands.at(-1)?.id ?? null);
    } while (last !== null);
    return settled;
  }
}
