import { CommandOutcomes } from '../../src/features/commands/command-outcomes.js';
import { OrderSender } from '../../src/features/commands/order-sender.js';
import { OverdueCommands } from '../../src/features/commands/overdue-commands.js';
import { CommandRig } from './command-rig.js';

/**
 * The steps of the ledger one by one, with its loops ended, so that each race is the one that the test wants. Two calls
 * at once are what two processes do: each has a transaction of its own, and nothing else is shared.
 */
export class StillLedger {
  readonly sender: OrderSender;
  readonly outcomes: CommandOutcomes;
  readonly overdue: OverdueCommands;

  private constructor(readonly rig: CommandRig) {
    this.sender = this.get(OrderSender);
    this.outcomes = this.get(CommandOutcomes);
    this.overdue = this.get(OverdueCommands);
  }

  static async start(): Promise<StillLedger> {
    const rig = await CommandRig.start();
    await rig.silence();
    return new StillLedger(rig);
  }

  get<T>(type: abstract new (...args: never[]) => T): T {
    return this.rig.running.app.get<T>(type, { strict: false });
  }

  /** What one test left on its way would come due in the middle of another: each begins with this. */
  empty(): Promise<unknown> {
    return this.rig.rows('DELETE FROM commands');
  }

  async sendAll(deviceId: string): Promise<void> {
    while (await this.sender.sendNext(deviceId)) {
      // Until nothing is left to do.
    }
  }

  timePasses(id: string, column: 'expires_at' | 'timeout_at' | 'sent_at', seconds: number): Promise<unknown> {
    return this.rig.rows(`UPDATE commands SET ${column} = ${column} - $2 * interval '1 second' WHERE id = $1`, [
      id,
      seconds,
    ]);
  }

  stop(): Promise<void> {
    return this.rig.stop();
  }
}
