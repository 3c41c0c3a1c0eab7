import { Injectable } from '@nestjs/common';
import { AuditWriter } from '../../platform/audit/audit-writer.js';
import { KeyStore, type PublicJwk } from '../../platform/keys/key-store.js';
import { KeyRotationService } from '../../platform/keys/key-rotation.service.js';
import { KEY_PURPOSES, type KeyPurpose, type KeyRecord } from '../../platform/keys/signing-key.js';
import { Transactions } from '../../platform/prisma/transactions.js';

/** Administration of signing keys. */
@Injectable()
export class SigningKeysService {
  constructor(
    private readonly rotation: KeyRotationService,
    private readonly keys: KeyStore,
    private readonly transactions: Transactions,
    private readonly audit: AuditWriter,
  ) {}

  /** The public keys that verify what keys of this purpose sign; a new key is listed before it signs. */
  listVerificationKeys(purpose: KeyPurpose): Promise<PublicJwk[]> {
    return this.keys.verificationKeys(purpose);
  }

  list(): Promise<KeyRecord[]> {
    return this.rotation.list();
  }

  /**
   * Makes the next keys sign; what the present ones signed stays valid until it expires.
   * @throws TooManyKeysError
   */
  async rotate(purpose?: KeyPurpose): Promise<KeyRecord[]> {
    const purposes = purpose === undefined ? KEY_PURPOSES : [purpose];
    // Before the transaction, because making a key takes up to a second.
    const successors = await Promise.all(purposes.map((each) => this.rotation.prepare(each)));
    await this.transactions.run(async () => {
      for (const successor of successors) {
        const kid = await this.rotation.rotate(successor);
        await this.audit.record({
          action: 'signing_keys_rotated',
          entity: { type: 'key', id: kid },
          after: { purpose: successor.purpose, state: 'active' },
        });
      }
    });
    return this.list();
  }

  /**
   * Retires a key that leaked: nothing that it signed is valid any more.
   * @throws SigningKeyNotFoundError, SigningKeyInUseError, SigningKeyRetiredError
   */
  async retire(kid: string): Promise<KeyRecord[]> {
    await this.transactions.run(async () => {
      const purpose = await this.rotation.retire(kid);
      await this.audit.record({ entity: { type: 'key', id: kid }, after: { purpose, state: 'retired' } });
    });
    return this.list();
  }
}
