import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { deriveKey } from './derived-key.js';
import { decrypt, DecryptionError, encrypt } from './encryption.js';

describe('a encrypted value', () => {
  const key = randomBytes(32);
  const secret = Buffer.from('the combination is 12345');
  const encrypted = encrypt(key, secret, 'table.column.1');

  it('opens with its key at its place', () => {
    expect(decrypt(key, encrypted, 'table.column.1')).toEqual(secret);
  });

  it('never looks the same twice', () => {
    expect(encrypt(key, secret, 'table.column.1')).not.toEqual(encrypted);
  });

  it('does not open at another place', () => {
    expect(() => decrypt(key, encrypted, 'table.column.2')).toThrow(DecryptionError);
  });

  it('does not open with another key', () => {
    expect(() => decrypt(randomBytes(32), encrypted, 'table.column.1')).toThrow(DecryptionError);
  });

  it('does not open when any byte of it was changed, nor when it was cut', () => {
    for (let index = 0; index < encrypted.length; index += 1) {
      const changed = Buffer.from(encrypted);
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
      expect(() => decrypt(key, changed, 'table.column.1')).toThrow(DecryptionError);
      expect(() => decrypt(key, encrypted.subarray(0, index), 'table.column.1')).toThrow(DecryptionError);
    }
  });

  it('says where it is when it does not open, and nothing of what is in it', () => {
    expect(() => decrypt(randomBytes(32), encrypted, 'table.column.1')).toThrow(
      /^table\.column\.1 cannot be decrypted/,
    );
  });
});

describe('deriveKey', () => {
  it('gives each use its own key, and each use always the same one', () => {
    const master = randomBytes(32);
    const sealing = deriveKey(master, 'seal_private_keys');
    expect(sealing).toHaveLength(32);
    expect(deriveKey(master, 'seal_private_keys')).toEqual(sealing);
    expect(deriveKey(master, 'derive_refresh_tokens')).not.toEqual(sealing);
    expect(deriveKey(randomBytes(32), 'seal_private_keys')).not.toEqual(sealing);
  });
});
