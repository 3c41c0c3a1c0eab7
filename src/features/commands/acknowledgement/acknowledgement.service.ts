import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type RefusalCode } from '../../../contracts/commands.js';
import { type LinkKind } from '../../../contracts/devices.js';
import { type AckMessage, deviceTopic } from '../../../contracts/mqtt.js';
import { KeyedMutex } from '../../../platform/batching/keyed-mutex.js';
import { MicroBatcher } from '../../../platform/batching/micro-batcher.js';
import { type Counter, Metrics } from '../../../platform/metrics/metrics.js';
import { NO_VALID_TOKEN, RejectedMessages } from '../../../platform/mqtt/rejected-messages.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { PresenceService } from '../../presence/presence.service.js';
import { type LockStateReport } from '../../presence/presence.types.js';
import {
  AcknowledgementRepository,
  type AckTarget,
  type AckTransition,
  type EarlierBootCommand,
} from './acknowledgement.repository.js';
import { CommandEventWriter } from '../command-event-writer.js';
import { CommandRecoveryRepository } from '../dispatch/command-recovery.repository.js';
import { type EventOrigin } from '../domain/command-events.js';
import { ackedState, commandMachine, next } from '../domain/command-machine.js';
import { type BirthReport, commandsWithGoal, inferOutcome } from '../domain/evidence.js';

/** A report of the bolt that names no command confirms the last one sent within this time, if it fits. */
const CONFIRMS_WITHIN_MS = 60_000;
/** Acks recorded by one transaction, and transactions in parallel. */
const MAX_BATCH = 100;
const MAX_PARALLEL = 2;
/** More than the messages of devices that are ever in process. */
const MAX_WAITING = 10_000;
/** The device knows later orders than we do: a backup was restored and not adopted. */
const STALE_COUNTER: RefusalCode = 'stale_counter';
const RESTARTED = {
  errorCode: 'device_restarted',
  errorMessage: 'The device restarted before it answered: it is not known whether it carried out the order.',
};

/**
 * What an ack did. `unsettled`: the command may still change by it, alone, because it has timed out or another transaction
 * held it.
 */
type AckOutcome = 'applied' | 'unsettled' | AckFault;
type AckFault = 'nothing_new' | 'unknown_command' | typeof NO_VALID_TOKEN;

/** Records what devices say of their orders: acks, births and reports of the bolt. */
@Injectable()
export class AcknowledgementService implements OnModuleInit {
  /** The acks of one device are applied in their order: otherwise an overtaken one would be missing in the history. */
  readonly #byDevice = new KeyedMutex();
  readonly #batches = new MicroBatcher<AckTransition, AckOutcome>({
    maxBatch: MAX_BATCH,
    connectsAs: 'line',
    maxParallel: MAX_PARALLEL,
    maxWaiting: MAX_WAITING,
    run: (acks) => this.applyTogether(acks),
  });
  readonly #ignored: Counter<'reason'>;

  constructor(
    private readonly repository: AcknowledgementRepository,
    private readonly eventWriter: CommandEventWriter,
    private readonly transactions: Transactions,
    private readonly presence: PresenceService,
    private readonly recovery: CommandRecoveryRepository,
    private readonly refusals: RejectedMessages,
    metrics: Metrics,
  ) {
    this.#ignored = metrics.counter('mortise_command_acks_ignored_total', 'Acks that changed nothing', ['reason']);
  }

  onModuleInit(): void {
    this.presence.onLockStateReported((report) => this.applyLockState(report));
  }

  /**
   * Records an ack of `deviceId`. Duplicates and overtaken acks change nothing; an ack for another device's command is
   * ignored and counted.
   */
  async acknowledge(deviceId: string, ack: AckMessage, link: LinkKind = 'mqtt'): Promise<void> {
    const transition = { deviceId, link, commandId: ack.commandId, to: ackedState(ack.status), details: ack };
    await this.#byDevice.run(deviceId, async () => {
      const outcome = await this.#batches.submit(transition);
      if (outcome === 'applied' && ack.errorCode === STALE_COUNTER) {
        await this.recovery.raiseCounterAbove(deviceId, ack.commandId);
      }
      if (outcome === 'unsettled') {
        await this.applyAlone(transition, ack);
      } else if (outcome !== 'applied') {
        this.ignore(transition, outcome);
      }
    });
  }

  /**
   * Settles the commands of earlier boots of a device that came online. The device will not carry them out any more, and
   * they must never be signed again: the device may have moved before it restarted. A command whose effect the birth
   * shows becomes EXECUTED, any other TIMED_OUT, so that its lane is free at once.
   */
  async settleEarlierBoots(deviceId: string): Promise<void> {
    await this.transactions.run(async () => {
      const commands = await this.repository.lockOfEarlierBoots(deviceId);
      await this.settle(
        commands,
        ({ firmwareVersion }) => ({ firmwareVersion }),
        ({ link }) => link,
      );
    });
  }

  /**
   * Applies a report of the bolt, inside the transaction that records it: it settles the bolt commands of earlier boots
   * and confirms a command of this boot if it fits.
   */
  async applyLockState(report: LockStateReport): Promise<void> {
    const commands = await this.repository.lockOfEarlierBoots(report.deviceId, report.boot);
    await this.settle(
      commands.filter(({ lane }) => lane === 'bolt'),
      () => report,
      () => report.link,
    );
    await this.repository.confirmByReport({
      deviceId: report.deviceId,
      boot: report.boot,
      commandId: report.commandId ?? null,
      names: commandsWithGoal(report.lockState),
      withinMs: CONFIRMS_WITHIN_MS,
    });
  }

  /** Those that change nothing cost no more than one question for all of them, however many a device sends. */
  private async applyTogether(acks: readonly AckTransition[]): Promise<AckOutcome[]> {
    const outcomes = await this.transactions.independently(async () => {
      const commands = await this.repository.applyAcks(acks);
      const links = new Map(acks.map(({ deviceId, commandId, link }) => [`${deviceId}/${commandId}`, link]));
      await this.eventWriter.recordStates(commands, ({ deviceId, id }) =>
        originOf(deviceId, links.get(`${deviceId}/${id}`)),
      );
      const changed = new Map<string, AckOutcome>(commands.map(({ id, deviceId }) => [`${deviceId}/${id}`, 'applied']));
      const others = acks.filter(({ deviceId, commandId }) => !changed.has(`${deviceId}/${commandId}`));
      const targets = others.length > 0 ? await this.repository.listTargets(others) : [];
      targets.forEach((target) => changed.set(`${target.deviceId}/${target.commandId}`, outcomeOfUnchanged(target)));
      return changed;
    });
    return acks.map(({ deviceId, commandId }) => outcomes.get(`${deviceId}/${commandId}`) ?? 'unknown_command');
  }

  private ignore({ deviceId, commandId }: AckTransition, reason: AckFault): void {
    this.#ignored.inc({ reason });
    if (reason !== 'nothing_new') {
      this.refusals.message(reason, deviceTopic(deviceId, 'acks'), { commandId });
    }
  }

  /** For a duplicate, a late verdict, or a command that another transaction had locked. */
  private async applyAlone(transition: AckTransition, ack: AckMessage): Promise<void> {
    await this.transactions.independently(async () => {
      const command = await this.repository.applyAck(transition);
      await (command
        ? this.eventWriter.recordStates([command], originOf(transition.deviceId, transition.link))
        : this.recordLateResult(transition, ack));
    });
  }

  /** Records a verdict that came after TIMED_OUT, and counts any other ack as ignored. */
  private async recordLateResult(transition: AckTransition, ack: AckMessage): Promise<void> {
    const { deviceId, link } = transition;
    const state = await this.repository.lockState(deviceId, ack.commandId);
    if (state === null) {
      this.ignore(transition, 'unknown_command');
      return;
    }
    const { status, result, errorCode, errorMessage } = ack;
    const late =
      next(state, status).effect === 'late_result'
        ? await this.repository.recordLateResult(ack.commandId, { status, result, errorCode, errorMessage })
        : null;
    if (late) {
      await this.eventWriter.recordLateResult(late, originOf(deviceId, link));
    } else {
      this.ignore(transition, 'nothing_new');
    }
  }

  private async settle(
    commands: readonly EarlierBootCommand[],
    birthOf: (command: EarlierBootCommand) => BirthReport,
    linkOf: (command: EarlierBootCommand) => LinkKind,
  ): Promise<void> {
    for (const command of commands) {
      const settled = await this.repository.settleOfEarlierBoot(
        inferOutcome(command, birthOf(command))
          ? { id: command.id, state: 'EXECUTED', errorCode: null, errorMessage: null }
          : { id: command.id, state: 'TIMED_OUT', ...RESTARTED },
      );
      await this.eventWriter.recordStates([settled], originOf(settled.deviceId, linkOf(command)));
    }
  }
}

/** A terminal state never changes; the first verdict after a time-out is kept beside it. */
function outcomeOfUnchanged({ state, hasToken }: AckTarget): AckOutcome {
  if (!hasToken) {
    return NO_VALID_TOKEN;
  }
  if (state === null) {
    return 'unknown_command';
  }
  return commandMachine.isTerminal(state) && state !== 'TIMED_OUT' ? 'nothing_new' : 'unsettled';
}

function originOf(deviceId: string, link: LinkKind = 'mqtt'): EventOrigin {
  return { source: link, actor: `device:${deviceId}` };
}
