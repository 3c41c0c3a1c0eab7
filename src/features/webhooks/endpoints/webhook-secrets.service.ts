import { createHmac, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { deriveKey } from '../../../platform/crypto/derived-key.js';
import { decrypt, encrypt } from '../../../platform/crypto/encryption.js';

/** How a secret begins in text (Standard Webhooks). */
const PREFIX = 'whsec_';
/** Standard Webhooks asks for 24 to 64. */
const SECRET_BYTES = 32;

/** The columns that hold a sealed secret: a value of the one is worthless in the other. */
export type SecretColumn = 'secret' | 'previous_secret';

/** Makes the secrets of endpoints, keeps them sealed, and signs with them. */
@Injectable()
export class WebhookSecretsService {
  readonly #key: Buffer;

  constructor(config: AppConfig) {
    this.#key = deriveKey(config.masterKey(), 'seal_webhook_secrets');
  }

  /** 256 bits at random. */
  make(): Buffer {
    return randomBytes(SECRET_BYTES);
  }

  seal(secret: Buffer, endpointId: string, column: SecretColumn): Buffer {
    return encrypt(this.#key, secret, aadOf(endpointId, column));
  }

  /** @throws DecryptionError */
  open(sealed: Uint8Array, endpointId: string, column: SecretColumn): Buffer {
    return decrypt(this.#key, sealed, aadOf(endpointId, column));
  }
}

/** As its owner is shown it, and as the libraries of Standard Webhooks take it. */
export function secretText(secret: Buffer): string {
  return PREFIX + secret.toString('base64');
}

/**
 * The value of `webhook-signature` (Standard Webhooks, "Signature scheme"): of each secret a signature, so that a receiver which
 * knows one of them is content.
 * @param timestamp seconds since 1970, of the attempt
 */
export function signaturesOf(secrets: readonly Buffer[], id: string, timestamp: number, body: string): string {
  return secrets
    .map(
      (secret) =>
        `v1,${createHmac('sha256', secret)
          .update(`${id}.${String(timestamp)}.${body}`)
          .digest('base64')}`,
    )
    .join(' ');
}

function aadOf(endpointId: string, column: SecretColumn): string {
  return `webhook_endpoints.${column}.${endpointId}`;
}
