import { Injectable } from '@nestjs/common';
import type { NewEvent } from '../../../contracts/events.js';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { requestContext } from '../../../platform/context/request-context.js';
import { EventLog } from '../../../platform/events/event-log.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import type { ShareTerms } from '../domain/device-access.js';
import type { Share } from '../sharing.types.js';
import type { ShareRevokedPayload } from '../sharing.events.js';

/**
 * Writes changes of shares to the event log and the audit trail, inside the transaction of the change, and tells the other
 * processes after it. Events are seen by all who see the device, so they name no person; the audit trail does. The recipient
 * is told by an event of their own, which is of no device: it is theirs also when the device is not.
 */
@Injectable()
export class ShareEventWriter {
  constructor(
    private readonly events: EventLog,
    private readonly audit: AuditWriter,
    private readonly transactions: Transactions,
    private readonly signals: SignalBus,
  ) {}

  async recordGrant(share: Share, ownerId: string): Promise<void> {
    await this.audit.record({ entity: { type: 'share', id: share.id }, after: factsOf(share) });
    const { id: shareId, permission } = share;
    await this.append(share, ownerId, { type: 'share_granted', payload: { shareId, permission } });
  }

  /** A request for what is so already: the audit trail has it, and no event tells of it. */
  recordNoChange(share: Share): Promise<void> {
    return this.recordFacts(share, share);
  }

  async recordChange(
    before: Share,
    after: Share,
    changed: readonly (keyof ShareTerms)[],
    ownerId: string,
  ): Promise<void> {
    await this.recordFacts(before, after);
    const { id: shareId, permission } = after;
    await this.append(after, ownerId, {
      type: 'share_changed',
      payload: { shareId, permission, changed: [...changed] },
    });
  }

  async recordEnds(shares: readonly Share[], ownerId: string, reason: ShareRevokedPayload['reason']): Promise<void> {
    const context = requestContext();
    await this.audit.recordEach(
      shares.map((share) => ({
        context,
        record: {
          action: reason === 'left' ? ('share_left' as const) : ('share_revoked' as const),
          entity: { type: 'share' as const, id: share.id },
          before: { ...factsOf(share), reason },
        },
      })),
    );
    for (const share of shares) {
      const { id: shareId, permission } = share;
      await this.append(share, ownerId, { type: 'share_revoked', payload: { shareId, permission, reason } });
    }
  }

  recordInvitation({ id, email }: Share): Promise<void> {
    return this.audit.record({ entity: { type: 'share', id }, after: { email } });
  }

  /** Caches of permissions drop what they hold of this device once the change has committed. */
  publishChange(deviceId: string): void {
    this.transactions.afterCommit(() => {
      this.signals.publish('device_access_changed', { deviceId });
    });
  }

  private recordFacts(before: Share, after: Share): Promise<void> {
    return this.audit.record({
      entity: { type: 'share', id: after.id },
      before: factsOf(before),
      after: factsOf(after),
    });
  }

  private async append(
    { deviceId, recipientId }: Share,
    ownerId: string,
    event: Pick<NewEvent<'share_granted' | 'share_changed' | 'share_revoked'>, 'type' | 'payload'>,
  ): Promise<void> {
    const actor = requestContext()?.actor ?? 'system';
    const source = actor === 'system' ? 'system' : 'http';
    const ofDevice = { ...event, source, actor, deviceId, userId: ownerId };
    // Who did it may be a person whom the recipient does not know, such as the next owner.
    const ofRecipient = { ...event, source, actor: 'system', payload: { ...event.payload, deviceId } };
    // Also where there is no account, as a row of no feed: a gap in the ids would tell the owner which it is.
    const told = { ...ofRecipient, ...(recipientId === null ? {} : { userId: recipientId }) };
    await this.events.append([ofDevice, told] as NewEvent[]);
    this.publishChange(deviceId);
  }
}

function factsOf({ deviceId, email, permission, from, until, schedule, suspended }: Share): Record<string, unknown> {
  return { deviceId, email, permission, from, until, schedule, suspended };
}
