import { describe, expect, it, jest } from '@jest/globals';
import type { AppConfig } from '../../../config/app-config.js';
import type { Transactions } from '../../../platform/prisma/transactions.js';
import type { UserPasswordsService } from '../../users/user-passwords.service.js';
import type { PasswordState } from '../../users/users.types.js';
import type { SessionsService } from '../sessions/sessions.service.js';
import type { OneTimeTokensService } from '../tokens/one-time-tokens.service.js';
import type { KnownDevicesService } from './known-devices.service.js';
import type { LoginAlertsService } from './login-alerts.service.js';
import type { LoginThrottleRepository } from './login-throttle.repository.js';
import { LoginService } from './login.service.js';

const VERIFIED: PasswordState = {
  userId: '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55',
  email: 'ada@example.com',
  username: null,
  changedAt: new Date('2026-11-20T18:00:00Z'),
  ageMs: 1_000,
  mustChange: false,
  blocked: false,
};

describe('LoginService', () => {
  it('opens no session for a password that was changed while it was verified', async () => {
    const recordLogin = jest.fn<UserPasswordsService['recordLogin']>().mockResolvedValue(null);
    const open = jest.fn<SessionsService['open']>();
    const logins = new LoginService(
      { passwords: { maxAgeMs: null, oneTimeLifeMs: 1 }, masterKey: () => Buffer.alloc(32) } as unknown as AppConfig,
      { verify: () => Promise.resolve(VERIFIED), recordLogin } as unknown as UserPasswordsService,
      {
        consume: () => Promise.resolve(),
        refund: () => Promise.resolve(),
        judge: (_key: unknown, verify: () => Promise<unknown>) => verify(),
      } as unknown as LoginThrottleRepository,
      { issue: () => 'k'.repeat(64) } as unknown as KnownDevicesService,
      {} as LoginAlertsService,
      {} as OneTimeTokensService,
      { open } as unknown as SessionsService,
      { run: (work: () => Promise<unknown>) => work() } as unknown as Transactions,
    );
    const login = logins.login({ identifier: 'ada', password: 'x' }, { ip: null, userAgent: null });
    await expect(login).rejects.toMatchObject({ code: 'invalid_credentials' });
    expect(recordLogin).toHaveBeenCalledWith(VERIFIED);
    expect(open).not.toHaveBeenCalled();
  });
});
