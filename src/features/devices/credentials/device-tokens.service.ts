import { Injectable } from '@nestjs/common';
import { randomToken, sha256 } from '../../../platform/crypto/digest.js';
import { IdempotencyService } from '../../../platform/idempotency/idempotency.service.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { DeviceChangeService } from '../device-change.service.js';
import { HandoverService } from '../transfers/handover.service.js';
import { ActivationCodesService } from './activation-codes.service.js';
import { DeviceTokensRepository } from './device-tokens.repository.js';

/** Older tokens that may overlap with the new one. */
const MAX_OVERLAPPING = 4;

export interface TokenRotation {
  /** Null for a repeat: it is shown only the first time. */
  readonly deviceToken: string | null;
  /** When the older ones end; null where they ended at once, or there were none. */
  readonly olderUntil: Date | null;
}

/** Rotates and revokes the tokens of devices. */
@Injectable()
export class DeviceTokensService {
  constructor(
    private readonly tokens: DeviceTokensRepository,
    private readonly codes: ActivationCodesService,
    private readonly changes: DeviceChangeService,
    private readonly handover: HandoverService,
    private readonly idempotency: IdempotencyService,
    private readonly transactions: Transactions,
    private readonly signals: SignalBus,
  ) {}

  /**
   * Issues a token; the older ones are valid for as long as the overlap.
   * @throws DeviceNotFoundError, ForbiddenError, UnlockRestrictedError
   */
  rotate(userId: string, deviceId: string, overlapSeconds: number): Promise<TokenRotation> {
    const token = randomToken();
    return this.transactions.run(async () => {
      let olderUntil: Date | null = null;
      const { repeated } = await this.idempotency.once(async () => {
        await this.changes.beginIssue(userId, deviceId);
        olderUntil = await this.tokens.expireAll(deviceId, overlapSeconds * 1_000, MAX_OVERLAPPING);
        await this.tokens.add(deviceId, sha256(token), 'rotation');
        await this.changes.record(deviceId, ['token'], { overlapSeconds });
        if (olderUntil === null) {
          this.kick(deviceId);
        }
        return deviceId;
      });
      return { deviceToken: repeated ? null : token, olderUntil };
    });
  }

  /**
   * Ends every token, an activation code, and the connections of a device. Nothing of it is accepted from the commit on.
   * @throws DeviceNotFoundError, ForbiddenError
   */
  revoke(userId: string, deviceId: string): Promise<void> {
    return this.idempotency.change(deviceId, async () => {
      await this.changes.beginCredentials(userId, deviceId);
      const revoked = await this.tokens.revoke(deviceId);
      await this.codes.end(deviceId);
      await this.handover.disconnect(deviceId);
      await this.changes.record(deviceId, ['token'], { revoked });
      this.kick(deviceId);
    });
  }

  private kick(deviceId: string): void {
    this.transactions.afterCommit(() => {
      this.signals.publish('device_revoked', { deviceId });
    });
  }
}
