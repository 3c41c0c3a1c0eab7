import { sign } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type SignedOrder } from '../../contracts/orders.js';
import { KeyStore, type SigningKey } from '../../platform/crypto/key-store.js';
import { Transactions } from '../../platform/prisma/transaction.js';
import { DevicesService } from '../devices/devices.service.js';
import { CommandRecorder } from './command-recorder.js';
import { DispatchRepository, LaneBusyError, type NextCommand, type Transmission } from './dispatch.repository.js';
import { type Origin } from './domain/command-events.js';
import { policyOf } from './domain/command-policy.js';
import { deadlineOf, writeOrder } from './domain/order.js';
import { OrderLine } from './order-line.js';

const OURS: Origin = { source: 'system', actor: 'system' };

/** What one step of dispatch did: an order to publish, if any, and whether another step may find more. */
interface Step {
  transmission?: Omit<Transmission, 'command'> & { deviceId: string };
  again: boolean;
}

/**
 * Turns queued commands into signed orders. That an order was sent is committed *before* it is published: whatever
 * dies in between, the ledger knows of every order a device may have.
 */
@Injectable()
export class OrderSender {
  constructor(
    private readonly repository: DispatchRepository,
    private readonly recorder: CommandRecorder,
    private readonly transactions: Transactions,
    private readonly keys: KeyStore,
    private readonly devices: DevicesService,
    private readonly line: OrderLine,
  ) {}

  /** Sends the command whose turn it is. @returns whether there may be another one to send now. */
  async sendNext(deviceId: string): Promise<boolean> {
    if (!this.line.isOpen()) {
      return false;
    }
    const key = await this.keys.signingKey('order');
    const askedAt = this.line.now();
    const { transmission, again } = await this.step(deviceId, key);
    if (transmission) {
      this.line.transmit(deviceId, transmission.signed, askedAt + transmission.remainingMs);
    }
    return again;
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
    for (const { command, signed, remainingMs } of transmissions) {
      this.line.transmit(command.deviceId, signed, askedAt + remainingMs);
    }
    return transmissions.length;
  }

  private async step(deviceId: string, key: SigningKey): Promise<Step> {
    try {
      return await this.transactions.independently(() => this.advance(deviceId, key));
    } catch (error) {
      if (error instanceof LaneBusyError) {
        return { again: false };
      }
      throw error;
    }
  }

  private async advance(deviceId: string, key: SigningKey): Promise<Step> {
    const next = await this.repository.lockNext(deviceId);
    if (!next) {
      return { again: false };
    }
    const refusal = await this.refusalOf(next);
    const deadline = deadlineOf(next.now, next.expiresAt, policyOf(next.name).timeoutMs);
    const signed = signOrder(next, deadline, key);
    const command = refusal
      ? await this.repository.expire(next.id, refusal)
      : await this.repository.markSent(next, { ...signed, sentAt: next.now, timeoutMs: policyOf(next.name).timeoutMs });
    if (!command) {
      // Its life ended while we waited for the lock: the next step expires it.
      return { again: true };
    }
    await this.recorder.moved([command], OURS);
    return refusal
      ? { again: true }
      : {
          transmission: { deviceId, signed, remainingMs: deadline.getTime() - next.now.getTime() },
          again: next.othersWait,
        };
  }

  /** Asked at the moment of acting: revoking a permission needs no word to the ledger. */
  private async refusalOf(next: NextCommand): Promise<'deadline' | 'permission_revoked' | null> {
    if (next.expiresAt <= next.now) {
      return 'deadline';
    }
    const permission = next.issuerId === null ? null : await this.devices.permissionOf(next.issuerId, next.deviceId);
    return permission === 'control' || permission === 'admin' ? null : 'permission_revoked';
  }
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
