import { sign } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type SignedOrder } from '../../../contracts/orders.js';
import { MicroBatcher } from '../../../platform/batching/micro-batcher.js';
import { KeyStore, type SigningKey } from '../../../platform/keys/key-store.js';
import { Transactions } from '../../../platform/prisma/transaction.js';
import { DevicesService } from '../../devices/devices.service.js';
import { CommandEventWriter } from '../command-event-writer.js';
import {
  DispatchRepository,
  LaneBusyError,
  type NextCommand,
  type OrderToSend,
  type Transmission,
} from './dispatch.repository.js';
import { type Origin } from '../domain/command-events.js';
import { policyOf } from '../domain/command-policy.js';
import { deadlineOf, writeOrder } from '../domain/order.js';
import { OrderPublisher } from './order-publisher.js';

const OURS: Origin = { source: 'system', actor: 'system' };

/** Devices served by one transaction; each adds to the time that the locks of all are held. */
const MAX_BATCH = 50;
/** While one transaction commits, the next one begins. */
const MAX_PARALLEL = 2;
/** More than there are devices looked after at once. */
const MAX_WAITING = 10_000;

/** What one step of dispatch did: orders to publish, and the devices at which another step may find more. */
interface Step {
  transmissions: readonly Transmission[];
  again: ReadonlySet<string>;
}

type Refused = Parameters<DispatchRepository['expire']>[0][number];

const NOTHING: Step = { transmissions: [], again: new Set() };

/**
 * Turns queued commands into signed orders, those of many devices together. That an order was sent is committed *before*
 * it is published: whatever dies in between, the ledger knows of every order a device may have.
 */
@Injectable()
export class DispatchService {
  readonly #steps = new MicroBatcher<string, boolean>({
    maxBatch: MAX_BATCH,
    maxParallel: MAX_PARALLEL,
    maxWaiting: MAX_WAITING,
    run: (deviceIds) => this.sendNextOfEach(deviceIds),
  });

  constructor(
    private readonly repository: DispatchRepository,
    private readonly recorder: CommandEventWriter,
    private readonly transactions: Transactions,
    private readonly keys: KeyStore,
    private readonly devices: DevicesService,
    private readonly line: OrderPublisher,
  ) {}

  /**
   * Sends the command whose turn it is at this device. Ask for a device once at a time.
   * @returns whether there may be another one to send now.
   */
  sendNext(deviceId: string): Promise<boolean> {
    return this.#steps.submit(deviceId);
  }

  /** A device came back with the boot it had: it gets the same bytes again, and answers what it knows already. */
  resendToDevice(deviceId: string): Promise<number> {
    return this.resend(() => this.repository.resendToDevice(deviceId));
  }

  /** Sends again what was not answered within the interval of its kind. @returns how many. */
  resendDue(limit: number): Promise<number> {
    return this.resend(() => this.repository.resendDue(limit));
  }

  private async resend(find: () => Promise<Transmission[]>): Promise<number> {
    if (!this.line.isOpen()) {
      return 0;
    }
    const askedAt = this.line.now();
    const transmissions = await this.transactions.independently(async () => {
      const found = await find();
      await this.recorder.resent(
        found.map(({ command }) => command),
        OURS,
      );
      return found;
    });
    this.transmit(transmissions, askedAt);
    return transmissions.length;
  }

  private async sendNextOfEach(deviceIds: readonly string[]): Promise<boolean[]> {
    if (!this.line.isOpen()) {
      return deviceIds.map(() => false);
    }
    const key = await this.keys.signingKey('order');
    const askedAt = this.line.now();
    const { transmissions, again } = await this.step(deviceIds, key);
    this.transmit(transmissions, askedAt);
    return deviceIds.map((deviceId) => again.has(deviceId));
  }

  private transmit(transmissions: readonly Transmission[], askedAt: number): void {
    for (const { command, signed, remainingMs } of transmissions) {
      this.line.transmit(command.deviceId, signed, askedAt + remainingMs);
    }
  }

  private async step(deviceIds: readonly string[], key: SigningKey): Promise<Step> {
    try {
      return await this.transactions.independently(() => this.advance(deviceIds, key));
    } catch (error) {
      // The others of a batch are not busy: each is tried again alone.
      if (error instanceof LaneBusyError && deviceIds.length === 1) {
        return NOTHING;
      }
      throw error;
    }
  }

  private async advance(deviceIds: readonly string[], key: SigningKey): Promise<Step> {
    const found = await this.repository.lockNext(deviceIds);
    if (found.length === 0) {
      return NOTHING;
    }
    const { refused, allowed } = await this.judge(found);
    const orders = new Map(allowed.map((next) => [next.id, toOrder(next, key)]));
    // One after the other on the same connection, without a round trip in between.
    const [expired, sent] = await Promise.all([
      refused.length > 0 ? this.repository.expire(refused) : [],
      orders.size > 0 ? this.repository.markSent([...orders.values()]) : [],
    ]);
    await this.recorder.moved([...expired, ...sent], OURS);
    const transmissions = sent.flatMap((command) => {
      const order = orders.get(command.id);
      return order ? [{ command, signed: order.signed, remainingMs: order.remainingMs }] : [];
    });
    // What was not sent left its lane free, or its life ended while we waited for the lock: the next step expires it.
    const sentIds = new Set(sent.map(({ id }) => id));
    const again = found.filter(({ id, othersWait }) => othersWait || !sentIds.has(id));
    return { transmissions, again: new Set(again.map(({ deviceId }) => deviceId)) };
  }

  /** Asked at the moment of acting: revoking a permission needs no word to the ledger. */
  private async judge(found: readonly NextCommand[]): Promise<{ refused: Refused[]; allowed: NextCommand[] }> {
    const permissions = await this.devices.permissionsOf(
      found.map(({ issuerId, deviceId, ownerId }) => ({ userId: issuerId, deviceId, ownerId })),
    );
    const refused: Refused[] = [];
    const allowed: NextCommand[] = [];
    found.forEach((next, index) => {
      const permission = permissions[index];
      if (next.expiresAt <= next.now) {
        refused.push({ id: next.id, reason: 'deadline' });
      } else if (permission === 'control' || permission === 'admin') {
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
