import { AcknowledgementService } from '../../src/features/commands/acknowledgement/acknowledgement.service.js';
import { CommandEventWriter } from '../../src/features/commands/command-event-writer.js';
import { DispatchRepository } from '../../src/features/commands/dispatch/dispatch.repository.js';
import { OrderPublisher } from '../../src/features/commands/dispatch/order-publisher.js';
import { DispatchService } from '../../src/features/commands/dispatch/dispatch.service.js';
import { DeviceAccessService } from '../../src/features/sharing/access/device-access.service.js';
import { KeyStore } from '../../src/platform/keys/key-store.js';
import { Transactions } from '../../src/platform/prisma/transactions.js';
import { CommandHarness } from './command-harness.js';

/** The steps of the dispatch one by one, with its loops ended, so that a test controls every race. */
export class ManualDispatch {
  readonly sender: DispatchService;
  /** As many as there would be processes: each has its own batching. */
  readonly senders: readonly DispatchService[];
  readonly acknowledgements: AcknowledgementService;

  private constructor(readonly harness: CommandHarness) {
    this.sender = this.get(DispatchService);
    this.senders = [1, 2, 3, 4].map(
      () =>
        new DispatchService(
          this.get(DispatchRepository),
          this.get(CommandEventWriter),
          this.get(Transactions),
          this.get(KeyStore),
          this.get(DeviceAccessService),
          this.get(OrderPublisher),
        ),
    );
    this.acknowledgements = this.get(AcknowledgementService);
  }

  static async start(): Promise<ManualDispatch> {
    const harness = await CommandHarness.start();
    await harness.stopLoops();
    return new ManualDispatch(harness);
  }

  get<T>(type: abstract new (...args: never[]) => T): T {
    return this.harness.app.get(type);
  }

  /** Call it before each test: commands that an earlier one left open would come due in the middle of it. */
  deleteCommands(): Promise<unknown> {
    return this.harness.rows('DELETE FROM commands');
  }

  async sendAll(deviceId: string, sender = this.sender): Promise<void> {
    while (await sender.sendNext(deviceId)) {
      // Until nothing is left to do.
    }
  }

  moveBack(id: string, column: 'expires_at' | 'timeout_at' | 'sent_at', seconds: number): Promise<unknown> {
    return this.harness.rows(`UPDATE commands SET ${column} = ${column} - $2 * interval '1 second' WHERE id = $1`, [
      id,
      seconds,
    ]);
  }

  stop(): Promise<void> {
    return this.harness.stop();
  }
}
