import { createHmac, randomInt } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../../config/app-config.js';
import { deriveKey } from '../../../platform/crypto/derived-key.js';
import { equalInConstantTime } from '../../../platform/crypto/digest.js';
import { decrypt, encrypt } from '../../../platform/crypto/encryption.js';

const CODE_DIGITS = 6;

/** Where a sealed number is: in the one place, it is worthless in the other. */
type PhoneTable = 'notification_phones' | 'notification_phone_codes';

/** Keeps numbers sealed, and makes codes for them. */
@Injectable()
export class PhoneNumbersService {
  readonly #sealing: Buffer;
  readonly #hashing: Buffer;
  readonly #codes: Buffer;

  constructor(config: AppConfig) {
    this.#sealing = deriveKey(config.masterKey(), 'seal_phone_numbers');
    this.#hashing = deriveKey(config.masterKey(), 'hash_phone_numbers');
    this.#codes = deriveKey(config.masterKey(), 'hash_phone_codes');
  }

  seal(number: string, table: PhoneTable, userId: string): Buffer {
    return encrypt(this.#sealing, Buffer.from(number), aadOf(table, userId));
  }

  /** @throws DecryptionError */
  open(sealed: Uint8Array, table: PhoneTable, userId: string): string {
    return decrypt(this.#sealing, sealed, aadOf(table, userId)).toString();
  }

  /** The same for the same number; without the key, none can be found by trying all that there are. */
  hashOf(number: string): Buffer {
    return createHmac('sha256', this.#hashing).update(number).digest();
  }

  /** Of six digits, each as likely. */
  makeCode(): string {
    return String(randomInt(10 ** CODE_DIGITS)).padStart(CODE_DIGITS, '0');
  }

  hashOfCode(codeId: string, code: string): Buffer {
    return createHmac('sha256', this.#codes).update(`${codeId}.${code}`).digest();
  }

  isCode(codeId: string, code: string, hash: Uint8Array): boolean {
    return equalInConstantTime(this.hashOfCode(codeId, code), hash);
  }
}

/** A number as its owner is shown it: the country, or its beginning, and the last two digits. */
export function maskedNumber(number: string): string {
  return `${number.slice(0, 3)}${'*'.repeat(number.length - 5)}${number.slice(-2)}`;
}

function aadOf(table: PhoneTable, userId: string): string {
  return `${table}.sealed.${userId}`;
}
