import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { deriveKey } from '../../../platform/crypto/derived-key.js';
import {
  type ProvingRequest,
  type RequestProof,
  RequestProofRegistry,
} from '../../../platform/rate-limit/request-proof-registry.js';
import { canonicalId } from '../../../shared/ids.js';
import { hashSecretCode, isTaggedCode } from './secret-codes.js';

/** Names the reader for `@ProvenBy`. */
export const ACTIVATION_PROOF = 'activation_code';
/** Of the key by which activation codes are recognized. */
export const ACTIVATION_TAG_KEY = 'tag_activation_codes';

/**
 * Recognizes a device that is being activated by a code of its own, although a neighbour at its address is blocked or guesses: without
 * the database. Each code has limits of its own, so that an old one of the device takes nothing from the one that is valid; and all
 * codes of a device are of one subject, so that a stock of old ones is soon worth no more than guesses.
 */
@Injectable()
export class ActivationProofVerifier implements OnModuleInit {
  readonly #key: Buffer;

  constructor(
    private readonly registry: RequestProofRegistry,
    config: AppConfig,
  ) {
    this.#key = deriveKey(config.masterKey(), ACTIVATION_TAG_KEY);
  }

  onModuleInit(): void {
    this.registry.register(ACTIVATION_PROOF, (request) => this.proofOf(request));
  }

  private proofOf({ body }: ProvingRequest): RequestProof | null {
    // Nothing of the body has been validated yet.
    const { deviceId, code } = (body ?? {}) as { deviceId?: unknown; code?: unknown };
    if (typeof deviceId !== 'string' || typeof code !== 'string') {
      return null;
    }
    const id = canonicalId(deviceId);
    return isTaggedCode(this.#key, id, code)
      ? { key: `activation:${hashSecretCode(code).toString('hex')}`, subject: `activation:${id}` }
      : null;
  }
}
