import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { type AckMessage } from '../../contracts/mqtt.js';
import { MicroBatcher } from '../../platform/batching/micro-batcher.js';
import { type Counter, Metrics } from '../../platform/metrics/metrics.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { PresenceService } from '../presence/presence.service.js';
import { type LockStateReport } from '../presence/presence.types.js';
import { CommandEventWriter } from './command-event-writer.js';
import { type Origin } from './domain/command-events.js';
import { ackedState, next } from './domain/command-machine.js';
import { type BirthReport, commandsWithGoal, inferOutcome } from './domain/evidence.js';
import { KeyedMutex } from '../../platform/batching/keyed-mutex.js';
import { type Orphan, AcknowledgementRepository } from './acknowledgement.repository.js';

/** A report of the bolt that names no command belongs to the last one sent in this time, if it fits. */
const REPORT_BELONGS_WITHIN_MS = 60_000;
/** Acks settled by one transaction, and transactions under way. */
const MAX_BATCH = 100;
const MAX_PARALLEL = 2;
/** More than messages of devices are ever in hand. */
const MAX_WAITING = 10_000;
const RESTARTED = {
  errorCode: 'device_restarted',
  errorMessage: 'The device started anew before it answered: whether it carried the order out is not known.',
};

/** An ack with who said it. */
interface Heard {
  readonly deviceId: string;
  readonly ack: AckMessage;
}

/** What devices say of their orders, and what that makes of them in the ledger. */
@Injectable()
export class AcknowledgementService implements OnModuleInit {
  /** A device that is fast says everything at once. In its own order each word makes history; else the last may win. */
  readonly #turns = new KeyedMutex();
  readonly #acks = new MicroBatcher<Heard, boolean>({
    maxBatch: MAX_BATCH,
    maxParallel: MAX_PARALLEL,
    maxWaiting: MAX_WAITING,
    run: (heard) => this.moveMany(heard),
  });
  readonly #ignored: Counter<'reason'>;

  constructor(
    private readonly repository: AcknowledgementRepository,
    private readonly recorder: CommandEventWriter,
    private readonly transactions: Transactions,
    private readonly presence: PresenceService,
    private readonly logger: PinoLogger,
    metrics: Metrics,
  ) {
    logger.setContext(AcknowledgementService.name);
    this.#ignored = metrics.counter('mortise_command_acks_ignored_total', 'Acks that changed nothing', ['reason']);
  }

  onModuleInit(): void {
    this.presence.onLockStateReported((report) => this.observe(report));
  }

  /**
   * Takes an ack of `deviceId`. Duplicates and overtaken acks change nothing; an ack for another device's command is
   * ignored and counted.
   */
  async acknowledge(deviceId: string, ack: AckMessage): Promise<void> {
    await this.#turns.run(deviceId, async () => {
      if (!(await this.#acks.submit({ deviceId, ack }))) {
        await this.takeAlone(deviceId, ack);
      }
    });
  }

  /**
   * A device came online. Orders made for an earlier start of it will not be carried out any more, and must never be
   * signed again: the device may have moved before it went down. What its first words prove is settled as EXECUTED, the
   * rest as TIMED_OUT, at once, so that the lane is free.
   */
  async settleOrphans(deviceId: string): Promise<void> {
    await this.transactions.run(async () => {
      const orphans = await this.repository.lockOrphans(deviceId);
      await this.settle(orphans, ({ firmwareVersion }) => ({ firmwareVersion }));
    });
  }

  /**
   * The lock says where its bolt is. Runs inside of the transaction that records the report: an order for an earlier
   * start is settled by it, one for this start is confirmed if it fits.
   */
  async observe(report: LockStateReport): Promise<void> {
    const orphans = await this.repository.lockOrphans(report.deviceId, report.boot);
    await this.settle(
      orphans.filter((orphan) => orphan.lane === 'bolt'),
      () => report,
    );
    await this.repository.confirmByReport({
      deviceId: report.deviceId,
      boot: report.boot,
      commandId: report.commandId ?? null,
      names: commandsWithGoal(report.lockState),
      withinMs: REPORT_BELONGS_WITHIN_MS,
    });
  }

  /** What came together is settled by one commit. @returns for each whether it moved its command. */
  private async moveMany(heard: readonly Heard[]): Promise<boolean[]> {
    const words = heard.map(({ deviceId, ack }) => ({
      deviceId,
      id: ack.commandId,
      to: ackedState(ack.status),
      verdict: ack,
    }));
    const moved = await this.transactions.independently(async () => {
      const commands = await this.repository.moveMany(words);
      await this.recorder.moved(commands, (command) => spokenBy(command.deviceId));
      return new Set(commands.map(({ id, deviceId }) => `${deviceId}/${id}`));
    });
    return words.map(({ deviceId, id }) => moved.has(`${deviceId}/${id}`));
  }

  /** A duplicate, a late verdict, or somebody else held the command at that moment. */
  private async takeAlone(deviceId: string, ack: AckMessage): Promise<void> {
    const origin = spokenBy(deviceId);
    await this.transactions.independently(async () => {
      const command = await this.repository.move(deviceId, ack.commandId, ackedState(ack.status), ack);
      await (command ? this.recorder.moved([command], origin) : this.takeLate(deviceId, ack, origin));
    });
  }

  private async settle(orphans: readonly Orphan[], birthFor: (orphan: Orphan) => BirthReport): Promise<void> {
    for (const orphan of orphans) {
      const proven = inferOutcome(orphan, birthFor(orphan));
      const command = await this.repository.settleOrphan(
        proven
          ? { id: orphan.id, state: 'EXECUTED', errorCode: null, errorMessage: null }
          : { id: orphan.id, state: 'TIMED_OUT', ...RESTARTED },
      );
      await this.recorder.moved([command], spokenBy(command.deviceId));
    }
  }

  /** The ack could not move the command: a late verdict is kept, everything else is of no consequence. */
  private async takeLate(deviceId: string, ack: AckMessage, origin: Origin): Promise<void> {
    const state = await this.repository.lockState(deviceId, ack.commandId);
    if (state === null) {
      this.#ignored.inc({ reason: 'unknown_command' });
      this.logger.warn({ deviceId, commandId: ack.commandId }, 'A device answered an order that it was never given');
      return;
    }
    const { status, result, errorCode, errorMessage } = ack;
    const late =
      next(state, status).effect === 'late_result'
        ? await this.repository.keepLateResult(ack.commandId, { status, result, errorCode, errorMessage })
        : null;
    if (late) {
      await this.recorder.late(late, origin);
    } else {
      this.#ignored.inc({ reason: 'nothing_new' });
    }
  }
}

function spokenBy(deviceId: string): Origin {
  return { source: 'mqtt', actor: `device:${deviceId}` };
}
