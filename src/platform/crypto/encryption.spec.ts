import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { deriveKey } from './derived-key.js';
import { seal, SealBrokenError, unseal } from './encryption.js';

describe('a sealed value', () => {
  const key = randomBytes(32);
  const secret = Buffer.from('the combination is 12345');
  const sealed = seal(key, secret, 'table.column.1');

  it('opens with its key at its place', () => {
    expect(unseal(key, sealed, 'table.column.1')).toEqual(secret);
  });

  it('never looks the same twice', () => {
    expect(seal(key, secret, 'table.column.1')).not.toEqual(sealed);
  });

  it('does not open at another place', () => {
    expect(() => unseal(key, sealed, 'table.column.2')).toThrow(SealBrokenError);
  });

  it('does not open with another key', () => {
    expect(() => unseal(randomBytes(32), sealed, 'table.column.1')).toThrow(SealBrokenError);
  });

  it('does not open when any byte of it was changed, nor when it was cut', () => {
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
      expect(() => unseal(key, changed, 'table.column.1')).toThrow(SealBrokenError);
      expect(() => unseal(key, sealed.subarray(0, index), 'table.column.1')).toThrow(SealBrokenError);
    }
  });

  it('says where it is when it does not open, and nothing of what is in it', () => {
    expect(() => unseal(randomBytes(32), sealed, 'table.column.1')).toThrow(/^table\.column\.1 cannot be opened/);
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
