import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { PasswordHasher } from '../../platform/crypto/password-hasher.js';
import { BusyError } from '../../platform/process/semaphore.js';
import type { StoredPassword, UserPasswordsRepository } from './user-passwords.repository.js';
import { UserPasswordsService } from './user-passwords.service.js';
import { UserNotFoundError } from './users.errors.js';

const ADA: StoredPassword = {
  userId: '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55',
  email: 'ada@example.com',
  username: null,
  passwordHash: '$argon2id$ada',
  changedAt: new Date('2026-11-20T18:00:00Z'),
  ageMs: 1_000,
  mustChange: false,
  blocked: false,
};
const { userId, email, username, changedAt, ageMs, mustChange, blocked } = ADA;
const STATE = { userId, email, username, changedAt, ageMs, mustChange, blocked };

describe('UserPasswordsService', () => {
  const repository = {
    findByName: jest.fn<UserPasswordsRepository['findByName']>(),
    findById: jest.fn<UserPasswordsRepository['findById']>(),
    store: jest.fn<UserPasswordsRepository['store']>(),
    rehash: jest.fn<UserPasswordsRepository['rehash']>(),
  };
  const hasher = {
    hash: jest.fn<PasswordHasher['hash']>(),
    verify: jest.fn<PasswordHasher['verify']>(),
    isOutdated: jest.fn<PasswordHasher['isOutdated']>(),
  };
  const passwords = new UserPasswordsService(
    repository as unknown as UserPasswordsRepository,
    hasher as unknown as PasswordHasher,
  );

  beforeEach(() => {
    jest.resetAllMocks();
    repository.findByName.mockResolvedValue(ADA);
    hasher.verify.mockImplementation((hashed, password) =>
      Promise.resolve(hashed === '$argon2id$ada' && password === 'caf\u00E9'),
    );
  });

  it('verifies a password however it was composed, and shows no hash', async () => {
    await expect(passwords.verify('ADA', 'cafe\u0301')).resolves.toEqual(STATE);
    await expect(passwords.verify('ADA', 'wrong')).resolves.toBeNull();
    expect(repository.findByName).toHaveBeenCalledWith('ada');
  });

  it.each([
    ['an account that does not exist', null],
    ['an account that has none', { ...ADA, passwordHash: null }],
  ])('checks a password of %s too, and never takes it for right', async (_account, stored) => {
    repository.findByName.mockResolvedValue(stored);
    hasher.verify.mockResolvedValue(true);
    await expect(passwords.verify('unknown', 'anything')).resolves.toBeNull();
    expect(hasher.verify).toHaveBeenCalledWith(null, 'anything');
  });

  it('verifies a password although there is no time to hash it again', async () => {
    hasher.isOutdated.mockReturnValue(true);
    hasher.hash.mockRejectedValueOnce(new BusyError());
    await expect(passwords.verify('ada', 'café')).resolves.toEqual(STATE);
    expect(repository.rehash).not.toHaveBeenCalled();
    hasher.hash.mockRejectedValueOnce(new Error('out of memory'));
    await expect(passwords.verify('ada', 'café')).rejects.toThrow('out of memory');
  });

  it('says when there is no such account', async () => {
    repository.findById.mockResolvedValue(null);
    repository.findByName.mockResolvedValue(null);
    repository.store.mockResolvedValue(false);
    await expect(passwords.getState(ADA.userId)).rejects.toThrow(UserNotFoundError);
    await expect(passwords.store(ADA.userId, '$')).rejects.toThrow(UserNotFoundError);
    await expect(passwords.verifyUser(ADA.userId, 'café')).resolves.toBeNull();
    await expect(passwords.findState('unknown')).resolves.toBeNull();
  });
});
