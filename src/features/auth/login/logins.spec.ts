import { describe, expect, it, jest } from '@jest/globals';
import type { Transactions } from '../../../platform/prisma/transaction.js';
import type { UsersService } from '../../users/users.service.js';
import type { PasswordState } from '../../users/users.types.js';
import type { KnownDevicesService } from './known-devices.service.js';
import type { LoginService } from './login.service.js';
import { Logins } from './logins.js';
import type { SessionsService } from '../sessions/sessions.service.js';

const PERSON: PasswordState = {
  userId: '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55',
  changedAt: new Date('2026-11-20T18:00:00Z'),
  ageMs: 1_000,
  mustChange: false,
  blocked: false,
};

describe('Logins', () => {
  it('open no session for a password that was changed while it was looked at', async () => {
    const noteLogin = jest.fn<UsersService['passwords']['noteLogin']>().mockResolvedValue(false);
    const logins = new Logins(
      { prove: () => Promise.resolve(PERSON) } as unknown as LoginService,
      { get: () => Promise.resolve({ id: PERSON.userId }), passwords: { noteLogin } } as unknown as UsersService,
      { open: () => Promise.resolve({}) } as unknown as SessionsService,
      {} as KnownDevicesService,
      { run: (work: () => Promise<unknown>) => work() } as unknown as Transactions,
    );
    const login = logins.open({ identifier: 'ada', password: 'x' }, { address: null, userAgent: null });
    await expect(login).rejects.toMatchObject({ code: 'invalid_credentials' });
    expect(noteLogin).toHaveBeenCalledWith(PERSON);
  });
});
