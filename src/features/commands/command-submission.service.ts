import { Injectable } from '@nestjs/common';
import type { RateLimitPolicy } from '../../config/rate-limit.js';
import { grants } from '../../contracts/devices.js';
import { ForbiddenError } from '../../platform/auth/auth.errors.js';
import { MicroBatcher } from '../../platform/batching/micro-batcher.js';
import { type RequestContext, requestContext } from '../../platform/context/request-context.js';
import { IdempotencyService } from '../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../platform/prisma/transactions.js';
import { RateLimitRegistry } from '../../platform/rate-limit/rate-limit-registry.js';
import { RateLimitedError } from '../../platform/rate-limit/rate-limit.errors.js';
import { SignalBus } from '../../platform/redis/signal-bus.js';
import { newId } from '../../shared/ids.js';
import { UnlockRestrictedError } from '../users/users.errors.js';
import { CommandEventWriter } from './command-event-writer.js';
import {
  CommandNotFoundError,
  CommandNotSupportedError,
  CommandQueueFullError,
  DeviceOfflineError,
  DeviceUptimeFellError,
} from './commands.errors.js';
import { CommandsRepository, type Creation, type NewCommand } from './commands.repository.js';
import { UNLOCKS_IN_ALL } from './commands.rate-limits.js';
import { type Command, type CommandChange, type CommandSubmission } from './commands.types.js';
import { CompletionWaiters, type Waiter } from './completion-waiters.js';
import { isSettled } from './domain/command-machine.js';
import { MAX_QUEUED_PER_DEVICE, policyOf } from './domain/command-policy.js';

/** Submissions accepted by one transaction, transactions in parallel, and submissions that wait for one. */
const MAX_BATCH = 50;
const MAX_PARALLEL = 3;
const MAX_WAITING = 10_000;

/** A submission with the context of its request, because one transaction serves many requests. */
interface PendingSubmission {
  readonly id: string;
  readonly submission: CommandSubmission;
  readonly context: RequestContext | undefined;
}

/** The command that was queued, or the id of the one that an earlier request with the same key created. */
type Accepted = { command: CommandChange; earlierId?: never } | { command?: never; earlierId: string };

/**
 * Queues commands. Submissions of one moment share a transaction: command, event, audit entry and idempotency key of
 * each are committed together, and a refused one does not affect the others.
 */
@Injectable()
export class CommandSubmissionService {
  readonly #batches = new MicroBatcher<PendingSubmission, Accepted | Error>({
    maxBatch: MAX_BATCH,
    connectsAs: 'people',
    maxParallel: MAX_PARALLEL,
    maxWaiting: MAX_WAITING,
    run: (pending) => this.acceptEach(pending),
  });

  constructor(
    private readonly repository: CommandsRepository,
    private readonly eventWriter: CommandEventWriter,
    private readonly transactions: Transactions,
    private readonly idempotency: IdempotencyService,
    private readonly signals: SignalBus,
    private readonly waiters: CompletionWaiters,
    private readonly limits: RateLimitRegistry,
  ) {}

  /**
   * Queues a command. When this returns, the command survives any crash and will reach a terminal state. A repeat of
   * the same idempotent request answers with the first one's command. Within a transaction it is part of that one.
   * @param waitMs milliseconds to wait for a terminal state; 0 returns at once. When the wait ends without one, this
   *   answers with the command as it is by then
   * @throws ForbiddenError when this command takes more than the permission of its issuer
   * @throws DeviceOfflineError for a command that must not wait (`unlock_door`) to a device without a link
   * @throws DeviceUptimeFellError for `unlock_door` to a device whose uptime fell within one boot
   * @throws UnlockRestrictedError for an `unlock_door` of an account whose password an administrator may know
   * @throws RateLimitedError for an `unlock_door` to a device that has accepted as many as it may
   * @throws CommandNotSupportedError, CommandQueueFullError, CommandNotFoundError
   */
  async submit(submission: CommandSubmission, waitMs = 0): Promise<Command> {
    const { name, permission, deviceId } = submission;
    const { demand } = policyOf(name);
    if (!grants(permission, demand)) {
      throw new ForbiddenError(`device:${demand}`);
    }
    const id = newId();
    const waiter = waitMs > 0 ? this.waiters.open({ id, deviceId }, waitMs) : null;
    try {
      const { command, earlierId } = await this.accept({ id, submission, context: requestContext() });
      if (command) {
        return waiter ? await this.awaited(waiter, command) : command;
      }
      this.idempotency.nothingChanged();
      waiter?.release();
      return await this.outcomeOf(deviceId, earlierId, waitMs);
    } finally {
      waiter?.release();
    }
  }

  /** The command of an earlier request, when it has settled or the time is up. */
  private async outcomeOf(deviceId: string, id: string, waitMs: number): Promise<Command> {
    const waiter = waitMs > 0 ? this.waiters.open({ id, deviceId }, waitMs) : null;
    try {
      const current = await this.get(deviceId, id);
      return waiter && !isSettled(current) ? await this.awaited(waiter, current) : current;
    } finally {
      waiter?.release();
    }
  }

  /** As it settled, or as it is when the wait ends. @throws CommandNotFoundError when it was deleted meanwhile */
  private async awaited(waiter: Waiter, { id, deviceId }: Command): Promise<Command> {
    return (await waiter.outcome()) ?? this.get(deviceId, id);
  }

  private async get(deviceId: string, id: string): Promise<Command> {
    const command = await this.repository.find(deviceId, id);
    if (!command) {
      throw new CommandNotFoundError();
    }
    return command;
  }

  private async accept(pending: PendingSubmission): Promise<Accepted> {
    const [outcome] = this.transactions.isOpen()
      ? await this.acceptEach([pending])
      : [await this.#batches.submit(pending)];
    if (!outcome || outcome instanceof Error) {
      throw outcome ?? new Error('A submission was left without an outcome.');
    }
    return outcome;
  }

  private acceptEach(pending: readonly PendingSubmission[]): Promise<(Accepted | Error)[]> {
    return this.transactions.run(async () => {
      const claims = await this.idempotency.claimEach(pending.map(({ context }) => context?.idempotency));
      const fresh = pending.filter((_, index) => claims[index] === null);
      const creations = fresh.length > 0 ? await this.repository.create(fresh.map(toNewCommand), this.unlocks()) : [];
      const outcomes = new Map(fresh.map(({ id }, index) => [id, creations[index]]));
      await this.record(
        fresh.flatMap(({ context }, index) => {
          const command = creations[index]?.command;
          return command ? [{ command, context }] : [];
        }),
      );
      return pending.map((one, index) => {
        const claim = claims[index];
        if (claim) {
          return claim instanceof Error ? claim : { earlierId: claim };
        }
        const creation = outcomes.get(one.id);
        if (creation?.refusal === 'unlocked_too_often') {
          return new RateLimitedError('unlock', this.unlocks(), creation.resetMs);
        }
        return creation?.command ? { command: creation.command } : refusalOf(creation, one);
      });
    });
  }

  /** Of a device as a whole. */
  private unlocks(): RateLimitPolicy {
    const policy = this.limits.policyOf('unlock');
    return { ...policy, limit: policy.limit * UNLOCKS_IN_ALL };
  }

  private async record(created: Parameters<CommandEventWriter['recordRequested']>[0]): Promise<void> {
    if (created.length === 0) {
      return;
    }
    await this.eventWriter.recordRequested(created);
    await this.idempotency.rememberEach(
      created.flatMap(({ command, context }) =>
        context?.idempotency ? [{ claim: context.idempotency, id: command.id }] : [],
      ),
    );
    this.transactions.afterCommit(() => {
      created.forEach(({ command: { deviceId } }) => {
        this.signals.publish('command_queued', { deviceId });
      });
    });
  }
}

function toNewCommand({ id, submission, context }: PendingSubmission): NewCommand {
  const ageMs = context ? performance.now() - context.arrivedAt : 0;
  return { ...submission, id, correlationId: context?.requestId ?? id, policy: policyOf(submission.name), ageMs };
}

function refusalOf(
  creation: Exclude<Creation, { refusal: 'unlocked_too_often' }> | undefined,
  { submission }: PendingSubmission,
): Error {
  switch (creation?.refusal) {
    case 'not_supported':
      return new CommandNotSupportedError(submission.name, creation.deviceType);
    case 'unlock_restricted':
      return new UnlockRestrictedError(creation.until);
    case 'offline':
      return new DeviceOfflineError(submission.deviceId, creation.lack);
    case 'uptime_fell':
      return new DeviceUptimeFellError(submission.deviceId);
    case 'queue_full':
      return new CommandQueueFullError(MAX_QUEUED_PER_DEVICE);
    case 'unknown_device':
    case undefined:
      return new CommandNotFoundError();
  }
}
