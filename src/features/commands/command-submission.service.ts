import { Injectable } from '@nestjs/common';
import { MicroBatcher } from '../../platform/batching/micro-batcher.js';
import { type RequestContext, requestContext } from '../../platform/context/request-context.js';
import { Idempotency } from '../../platform/idempotency/idempotency.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { Signals } from '../../platform/redis/signals.js';
import { CommandEventWriter } from './command-event-writer.js';
import {
  CommandNotFoundError,
  CommandNotSupportedError,
  CommandQueueFullError,
  DeviceOfflineError,
} from './commands.errors.js';
import { CommandsRepository, type Creation, type NewCommand } from './commands.repository.js';
import { type CommandChange, type CommandRequest, type Errand } from './commands.types.js';
import { MAX_QUEUED_PER_DEVICE, policyOf } from './domain/command-policy.js';

/** Requests accepted by one transaction, transactions under way, and requests that wait for one. */
const MAX_BATCH = 50;
const MAX_PARALLEL = 3;
const MAX_WAITING = 10_000;

/** A request for a command, and the context it came in: the transaction belongs to many. */
interface Asked {
  readonly id: string;
  readonly errand: Errand;
  readonly request: CommandRequest;
  readonly context: RequestContext | undefined;
}

/** The command that was queued, or the id of the one that an earlier request with the same key made. */
type Accepted = { command: CommandChange; earlierId?: never } | { command?: never; earlierId: string };

/**
 * Takes commands into the ledger. Requests of one moment share a transaction: command, event, audit entry and
 * idempotency key of each stand together, and what is refused leaves the others alone.
 */
@Injectable()
export class CommandSubmissionService {
  readonly #batches = new MicroBatcher<Asked, Accepted | Error>({
    maxBatch: MAX_BATCH,
    maxParallel: MAX_PARALLEL,
    maxWaiting: MAX_WAITING,
    run: (asked) => this.acceptEach(asked),
  });

  constructor(
    private readonly repository: CommandsRepository,
    private readonly recorder: CommandEventWriter,
    private readonly transactions: Transactions,
    private readonly idempotency: Idempotency,
    private readonly signals: Signals,
  ) {}

  /**
   * Queues a command under this id. Within a transaction it is part of that one, and of nobody else's.
   * @throws DeviceOfflineError, CommandNotSupportedError, CommandQueueFullError, CommandNotFoundError
   */
  async accept(id: string, errand: Errand, request: CommandRequest): Promise<Accepted> {
    const asked = { id, errand, request, context: requestContext() };
    const [outcome] = this.transactions.isOpen() ? await this.acceptEach([asked]) : [await this.#batches.submit(asked)];
    if (!outcome || outcome instanceof Error) {
      throw outcome ?? new Error('A request was left without an answer.');
    }
    if (outcome.earlierId !== undefined) {
      this.idempotency.nothingChanged();
    }
    return outcome;
  }

  private acceptEach(asked: readonly Asked[]): Promise<(Accepted | Error)[]> {
    return this.transactions.run(async () => {
      const claims = await this.idempotency.claimEach(asked.map(({ context }) => context?.idempotency));
      const fresh = asked.filter((_, index) => claims[index] === null);
      const creations = fresh.length > 0 ? await this.repository.create(fresh.map(toNewCommand)) : [];
      const outcomes = new Map(fresh.map(({ id }, index) => [id, creations[index]]));
      await this.record(fresh.map(({ context }, index) => ({ command: creations[index]?.command, context })));
      return asked.map((one, index) => {
        const claim = claims[index];
        if (claim) {
          return claim instanceof Error ? claim : { earlierId: claim };
        }
        const creation = outcomes.get(one.id);
        return creation?.command ? { command: creation.command } : refusalOf(creation, one);
      });
    });
  }

  private async record(made: readonly Made[]): Promise<void> {
    const kept = made.flatMap(({ command, context }) => (command ? [{ command, context }] : []));
    if (kept.length === 0) {
      return;
    }
    await this.recorder.movedByPeople(kept);
    await this.idempotency.rememberEach(
      kept.flatMap(({ command, context }) =>
        context?.idempotency ? [{ claim: context.idempotency, id: command.id }] : [],
      ),
    );
    this.transactions.afterCommit(() => {
      kept.forEach(({ command: { deviceId } }) => {
        this.signals.publish('command_queued', { deviceId });
      });
    });
  }
}

type Made = Pick<Asked, 'context'> & { readonly command: CommandChange | undefined };

function toNewCommand({ id, errand, request, context }: Asked): NewCommand {
  return { ...request, ...errand, id, correlationId: context?.requestId ?? id, policy: policyOf(request.name) };
}

function refusalOf(creation: Creation | undefined, { errand, request }: Asked): Error {
  switch (creation?.refusal) {
    case 'not_supported':
      return new CommandNotSupportedError(request.name, creation.deviceType);
    case 'offline':
      return new DeviceOfflineError(errand.deviceId);
    case 'queue_full':
      return new CommandQueueFullError(MAX_QUEUED_PER_DEVICE);
    case 'unknown_device':
    case undefined:
      return new CommandNotFoundError();
  }
}
