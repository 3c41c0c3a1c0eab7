import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { PasswordHasher } from '../../platform/crypto/password-hasher.js';
import type { AuditWriter } from '../../platform/audit/audit-writer.js';
import type { Transactions } from '../../platform/prisma/transactions.js';
import type { AccountStandingService } from './account-standing.service.js';
import type { UserPasswordsRepository } from './user-passwords.repository.js';
import { UserPasswordsService } from './user-passwords.service.js';
import { InvalidAccountError, UserNotFoundError, WeakPasswordError } from './users.errors.js';
import type { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';
import type { NewUser, User } from './users.types.js';

const ADA: User = {
  id: '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55',
  email: 'ada@example.com',
  username: 'ada',
  displayName: 'Ada Lovelace',
  role: 'USER',
  createdAt: new Date('2026-11-20T18:00:00Z'),
};
const ACCOUNT: NewUser = { email: 'Ada@Example.com', password: 'tangerine harbour plumage' };

describe('UsersService', () => {
  const repository = {
    create: jest.fn<UsersRepository['create']>(),
    findById: jest.fn<UsersRepository['findById']>(),
    findByName: jest.fn<UsersRepository['findByName']>(),
  };
  const hasher = {
    hash: jest.fn<PasswordHasher['hash']>(),
    verify: jest.fn<PasswordHasher['verify']>(),
  };
  const passwords = new UserPasswordsService({} as UserPasswordsRepository, hasher as unknown as PasswordHasher);
  const users = new UsersService(
    repository as unknown as UsersRepository,
    passwords,
    {} as AccountStandingService,
    {} as Transactions,
    {} as AuditWriter,
  );

  beforeEach(() => {
    jest.resetAllMocks();
    hasher.hash.mockResolvedValue('$argon2id$');
    repository.create.mockResolvedValue(ADA);
  });

  const created = async (account: NewUser): Promise<unknown> => {
    await users.create(account);
    return repository.create.mock.calls[0]?.[0];
  };

  it('keeps folded names and the hash of the composed password, for a plain user named after the e-mail address', async () => {
    expect(await created({ ...ACCOUNT, password: 'tangerine harbour cafe\u0301' })).toEqual({
      email: 'ada@example.com',
      username: null,
      displayName: 'ada',
      role: 'USER',
      passwordHash: '$argon2id$',
    });
    expect(hasher.hash).toHaveBeenCalledWith('tangerine harbour caf\u00E9');
  });

  it('takes username, display name and role when they are given', async () => {
    expect(
      await created({ ...ACCOUNT, username: 'The.Countess', displayName: ' Ada L. ', role: 'ADMIN' }),
    ).toMatchObject({
      username: 'the.countess',
      displayName: 'Ada L.',
      role: 'ADMIN',
    });
  });

  it('calls people by their username before it falls back to their e-mail address', async () => {
    expect(await created({ ...ACCOUNT, username: 'countess' })).toMatchObject({ displayName: 'countess' });
  });

  it('refuses a weak password, and points at it', async () => {
    const weak = users.create({ ...ACCOUNT, password: 'password1234' });
    await expect(weak).rejects.toThrow(WeakPasswordError);
    await expect(weak).rejects.toMatchObject({ errors: [{ pointer: '/password' }] });
    expect(hasher.hash).not.toHaveBeenCalled();
  });

  it('refuses names that are no names to sign in with', async () => {
    await expect(users.create({ ...ACCOUNT, email: 'ada', username: 'a@b' })).rejects.toThrow(InvalidAccountError);
    expect(repository.create).not.toHaveBeenCalled();
  });

  it('looks for an e-mail address or for a username, whichever the identifier is', async () => {
    repository.findByName.mockResolvedValue(ADA);
    await expect(users.findByIdentifier('ADA@example.com')).resolves.toBe(ADA);
    await users.findByIdentifier('ADA');
    expect(repository.findByName.mock.calls).toEqual([[{ email: 'ada@example.com' }], [{ username: 'ada' }]]);
  });

  it('gets a person, or says that there is none', async () => {
    repository.findById.mockResolvedValueOnce(ADA).mockResolvedValueOnce(null);
    await expect(users.get(ADA.id)).resolves.toBe(ADA);
    await expect(users.get(ADA.id)).rejects.toThrow(UserNotFoundError);
  });
});
