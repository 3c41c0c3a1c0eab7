import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { AuditWriter } from '../../../platform/audit/audit-writer.js';
import { deriveKey } from '../../../platform/crypto/derived-key.js';
import { decrypt, encrypt } from '../../../platform/crypto/encryption.js';
import { IdempotencyService } from '../../../platform/idempotency/idempotency.service.js';
import { type Counter, Metrics } from '../../../platform/metrics/metrics.js';
import { Transactions } from '../../../platform/prisma/transactions.js';
import { DeviceChangeService } from '../device-change.service.js';
import { ActivationsRepository } from './activations.repository.js';
import { ActivationCodeNotFoundError } from './credentials.errors.js';
import type { ActivationCode } from './credentials.types.js';
import { ACTIVATION_TAG_KEY } from './activation-proof-verifier.js';
import { hashSecretCode, newTaggedCode } from './secret-codes.js';

const TTL_MS = 24 * 60 * 60 * 1_000;

/** Codes with which devices get tokens: made, shown while they are valid, and ended. */
@Injectable()
export class ActivationCodesService {
  readonly #key: Buffer;
  readonly #tagKey: Buffer;
  readonly #refused: Counter<'kind'>;

  constructor(
    private readonly repository: ActivationsRepository,
    private readonly changes: DeviceChangeService,
    private readonly idempotency: IdempotencyService,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
    config: AppConfig,
    metrics: Metrics,
  ) {
    this.#key = deriveKey(config.masterKey(), 'seal_activation_codes');
    this.#tagKey = deriveKey(config.masterKey(), ACTIVATION_TAG_KEY);
    this.#refused = metrics.counter('mortise_device_codes_refused_total', 'Codes of devices that were refused', [
      'kind',
    ]);
  }

  /**
   * A new code for a device; an earlier one is not valid any more. @returns null for a repeat.
   * @throws DeviceNotFoundError, ForbiddenError, UnlockRestrictedError
   */
  create(userId: string, deviceId: string): Promise<ActivationCode | null> {
    return this.transactions.run(async () => {
      let made: ActivationCode | null = null;
      await this.idempotency.once(async () => {
        await this.changes.beginIssue(userId, deviceId);
        made = await this.issue(deviceId, userId);
        await this.audit.record({ entity: { type: 'device', id: deviceId } });
        return deviceId;
      });
      return made;
    });
  }

  /**
   * The same as part of the surrounding transaction, which holds the device.
   * @param madeBy an account: the code is good while that could make one
   */
  async issue(deviceId: string, madeBy: string): Promise<ActivationCode> {
    const code = newTaggedCode(this.#tagKey, deviceId);
    const sealed = encrypt(this.#key, Buffer.from(code), aadOf(deviceId));
    const stored = { deviceId, madeBy, codeHash: hashSecretCode(code), sealed, ttlMs: TTL_MS };
    return { code, expiresAt: await this.repository.put(stored) };
  }

  /** The code that is valid now. @throws ActivationCodeNotFoundError, ForbiddenError, UnlockRestrictedError */
  async show(userId: string, deviceId: string): Promise<ActivationCode> {
    await this.changes.requireIssue(userId, deviceId);
    const found = await this.repository.find(deviceId);
    if (!found || !(await this.isGood(deviceId, found.madeBy))) {
      throw new ActivationCodeNotFoundError();
    }
    return {
      code: decrypt(this.#key, found.sealed, aadOf(deviceId)).toString(),
      expiresAt: found.expiresAt,
    };
  }

  /**
   * Consumes a code of a device that is locked, in the surrounding transaction. @returns whether it was one, and of a person who
   * could still make it
   */
  async consume(deviceId: string, codeHash: Buffer): Promise<boolean> {
    const found = await this.repository.consume(deviceId, codeHash);
    return found !== null && this.isGood(deviceId, found.madeBy);
  }

  /** Ends the code of a device, in the surrounding transaction. */
  async end(deviceId: string): Promise<void> {
    await this.repository.end(deviceId);
  }

  countRefusal(kind: 'claim' | 'activation' | 'transfer'): void {
    this.#refused.inc({ kind });
  }

  /** Codes of before makers were stored have none. */
  private async isGood(deviceId: string, madeBy: string | null): Promise<boolean> {
    return madeBy === null || (await this.changes.mayIssue(madeBy, deviceId));
  }
}

function aadOf(deviceId: string): string {
  return `device_activations.sealed.${deviceId}`;
}
