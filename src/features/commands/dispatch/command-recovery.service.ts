import { Injectable } from '@nestjs/common';
import { CommandEventWriter } from '../command-event-writer.js';
import { CommandRecoveryRepository } from './command-recovery.repository.js';

/** What a restored database needs before it may command devices that have gone on without it. */
@Injectable()
export class CommandRecoveryService {
  #lastRaised: string | null = null;

  constructor(
    private readonly repository: CommandRecoveryRepository,
    private readonly eventWriter: CommandEventWriter,
  ) {}

  /** Ends commands that are not settled, with their events, in the surrounding transaction. @returns how many */
  async settleOpen(limit: number): Promise<number> {
    const commands = await this.repository.settleOpen(limit);
    await this.eventWriter.recordStates(commands, { source: 'system', actor: 'system' });
    return commands.length;
  }

  /**
   * Raises the order counters of the next devices, in the order of their ids. @param turn 0 begins at the first device
   * @returns how many
   */
  async raiseCounters(limit: number, turn: number): Promise<number> {
    const raised = await this.repository.raiseCounters(turn === 0 ? null : this.#lastRaised, limit);
    this.#lastRaised = raised.at(-1) ?? null;
    return raised.length;
  }
}
