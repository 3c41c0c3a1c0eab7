import { sign } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { grants, type LinkKind } from '../../../contracts/devices.js';
import { type SignedOrder } from '../../../contracts/orders.js';
import { MicroBatcher } from '../../../platform/batching/micro-batcher.js';
import { KeyStore, type SigningKey } from '../../../platform/keys/key-store.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { DeviceAccessService } from '../../sharing/access/device-access.service.js';
import { CommandEventWriter } from '../command-event-writer.js';
import { type CommandChange } from '../commands.types.js';
import { type EventOrigin } from '../domain/command-events.js';
import { policyOf } from '../domain/command-policy.js';
import { deadlineOf, writeOrder } from '../domain/order.js';
import { DispatchRepository, LaneBusyError } from './dispatch.repository.js';
import { type NextCommand, type OrderToSend, type Transmission } from './dispatch.rows.js';
import { OrderPublisher } from './order-publisher.js';

const SYSTEM: EventOrigin = { source: 'system', actor: 'system' };

/** Devices served by one transaction; each prolongs the time that all of them are locked. */
const MAX_BATCH = 50;
/** While one transaction commits, the next one begins. */
const MAX_PARALLEL = 2;
/** More than the devices that are ever dispatched to in parallel. */
const MAX_WAITING = 10_000;

/** The outcome of one step: orders to publish, and the devices for which another step may find more. */
interface Step {
  transmissions: readonly Transmission[];
  again: ReadonlySet<string>;
}

type Refused = Parameters<DispatchRepository['expire']>[0][number];

const NOTHING: Step = { transmissions: [], again: new Set() };

/**
 * Turns queued commands into signed orders, those of many devices in one transaction, and ends commands whose time is up.
 * SENT is committed *before* the order is published: so after any crash, every order that a device may have is recorded.
 */
@Injectable()
export class DispatchService {
  readonly #steps = new MicroBatcher<string, boolean>({
    maxBatch: MAX_BATCH,
    connectsAs: 'dispatch',
    maxParallel: MAX_PARALLEL,
    maxWaiting: MAX_WAITING,
    run: (deviceIds) => this.sendNextOfEach(deviceIds),
  });

  constructor(
    private readonly repository: DispatchRepository,
    private readonly eventWriter: CommandEventWriter,
    private readonly transactions: Transactions,
    private readonly keys: KeyStore,
    private readonly access: DeviceAccessService,
    private readonly publisher: OrderPublisher,
  ) {}

  /**
   * Sends the next command of this device. At most one call per device may run at a time.
   * @returns whether there may be another one to send now
   */
  sendNext(deviceId: string): Promise<boolean> {
    return this.#steps.submit(deviceId);
  }

  /** Sends unanswered orders again to a device that reconnected. An order it knows already, it acknowledges again. */
  resendToDevice(deviceId: string): Promise<number> {
    return this.resend((links) => this.repository.resendToDevice(deviceId, links));
  }

  /** Sends orders again that were not answered within the resend interval of their kind. @returns how many */
  resendDue(limit: number): Promise<number> {
    return this.resend((links) => this.repository.resendDue(limit, links));
  }

  /**
   * Expires commands that were not sent in time, and times out those that were not answered in time, up to `limit` each.
   * @returns whether there may be more
   */
  async settleOverdue(limit: number): Promise<boolean> {
    const { expired, silent } = await this.repository.findOverdue();
    const counts = [
      expired ? await this.settle(() => this.repository.expireOverdue(limit)) : 0,
      silent ? await this.settle(() => this.repository.timeOutSilent(limit)) : 0,
    ];
    return counts.includes(limit);
  }

  private settle(change: () => Promise<CommandChange[]>): Promise<number> {
    return this.transactions.independently(async () => {
      const commands = await change();
      await this.eventWriter.recordStates(commands, SYSTEM);
      return commands.length;
    });
  }

  /** The links by which a device can be reached now. */
  get links(): LinkKind[] {
    return this.publisher.usableLinks();
  }

  private async resend(find: (links: readonly LinkKind[]) => Promise<Transmission[]>): Promise<number> {
    const { links } = this;
    const askedAt = this.publisher.now();
    const transmissions = await this.transactions.independently(async () => {
      const found = await this.stillPermitted(await find(links));
      await this.eventWriter.recordResends(
        found.map(({ command }) => command),
        SYSTEM,
      );
      return found;
    });
    this.publish(transmissions, askedAt);
    return transmissions.length;
  }

  /** A device that reconnects must not get the order of an issuer who lost the permission meanwhile. */
  private async stillPermitted(found: readonly Transmission[]): Promise<Transmission[]> {
    const permissions = await this.access.permissionsOf(
      found.map(({ command: { issuerId, deviceId, ownerId } }) => ({ userId: issuerId, deviceId, ownerId })),
    );
    return found.filter(({ command }, index) => grants(permissions[index] ?? null, policyOf(command.name).demand));
  }

  private async sendNextOfEach(deviceIds: readonly string[]): Promise<boolean[]> {
    const key = await this.keys.signingKey('order');
    const askedAt = this.publisher.now();
    const { transmissions, again } = await this.step(deviceIds, key);
    this.publish(transmissions, askedAt);
    return deviceIds.map((deviceId) => again.has(deviceId));
  }

  private publish(transmissions: readonly Transmission[], askedAt: number): void {
    for (const order of transmissions) {
      this.publisher.publish(order, askedAt + order.remainingMs);
    }
  }

  private async step(deviceIds: readonly string[], key: SigningKey): Promise<Step> {
    try {
      return await this.transactions.independently(() => this.advance(deviceIds, key));
    } catch (error) {
      // The batcher tries each device of a failed batch alone: so the lane that is busy is that of this device.
      if (error instanceof LaneBusyError && deviceIds.length === 1) {
        return NOTHING;
      }
      throw error;
    }
  }

  private async advance(deviceIds: readonly string[], key: SigningKey): Promise<Step> {
    const found = await this.repository.lockNext(deviceIds, this.links);
    if (found.length === 0) {
      return NOTHING;
    }
    const { refused, allowed } = await this.authorize(found);
    const orders = new Map(allowed.map((next) => [next.id, toOrder(next, key)]));
    // Both in sequence on the same connection, without a round trip in between.
    const [expired, sent] = await Promise.all([
      refused.length > 0 ? this.repository.expire(refused) : [],
      orders.size > 0 ? this.repository.markSent([...orders.values()]) : [],
    ]);
    await this.eventWriter.recordStates([...expired, ...sent], SYSTEM);
    const transmissions = sent.flatMap((command) => {
      const order = orders.get(command.id);
      return order ? [{ command, signed: order.signed, links: order.next.links, remainingMs: order.remainingMs }] : [];
    });
    // A command that was not sent left its lane free, or expired during the wait for the lock: the next step expires it.
    const sentIds = new Set(sent.map(({ id }) => id));
    const again = found.filter(({ id, othersWait }) => othersWait || !sentIds.has(id));
    return { transmissions, again: new Set(again.map(({ deviceId }) => deviceId)) };
  }

  /** Permissions are checked at the moment of sending: so a revoked one takes effect without touching queued commands. */
  private async authorize(found: readonly NextCommand[]): Promise<{ refused: Refused[]; allowed: NextCommand[] }> {
    const permissions = await this.access.permissionsOf(
      found.map(({ issuerId, deviceId, ownerId }) => ({ userId: issuerId, deviceId, ownerId })),
    );
    const refused: Refused[] = [];
    const allowed: NextCommand[] = [];
    found.forEach((next, index) => {
      const permission = permissions[index];
      if (next.expiresAt <= next.now) {
        refused.push({ id: next.id, reason: 'deadline' });
      } else if (policyOf(next.name).needsSteadyUptime && !next.steady) {
        refused.push({ id: next.id, reason: 'uptime_fell' });
      } else if (grants(permission ?? null, policyOf(next.name).demand)) {
        allowed.push(next);
      } else {
        refused.push({ id: next.id, reason: 'permission_revoked' });
      }
    });
    return { refused, allowed };
  }
}

function toOrder(next: NextCommand, key: SigningKey): OrderToSend & { remainingMs: number } {
  const { timeoutMs } = policyOf(next.name);
  const deadline = deadlineOf(next.now, next.expiresAt, timeoutMs);
  return {
    next,
    signed: signOrder(next, deadline, key),
    timeoutMs,
    remainingMs: deadline.getTime() - next.now.getTime(),
  };
}

function signOrder(next: NextCommand, deadline: Date, key: SigningKey): SignedOrder {
  const order = writeOrder({
    commandId: next.id,
    deviceId: next.deviceId,
    name: next.name,
    payload: next.payload,
    counter: next.counter,
    issuedAt: next.now,
    deadline,
    clock: next.clock,
  });
  return { order, kid: key.kid, signature: sign(null, Buffer.from(order), key.privateKey).toString('base64url') };
}
