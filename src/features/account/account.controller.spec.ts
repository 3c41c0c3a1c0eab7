import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ADA, AS_ADA, edgeApp } from '../../../test/support/edge-app.js';
import { AccountController } from './account.controller.js';
import { type AuditEntry, AuditReader } from '../../platform/audit/audit-reader.js';
import { PreferencesService } from './preferences.service.js';
import { UserNotFoundError } from '../users/users.errors.js';
import { UsersService } from '../users/users.service.js';
import type { Account } from '../users/users.types.js';

describe('GET /users/me', () => {
  const getAccount = jest.fn<UsersService['getAccount']>();
  const pageOfPerson = jest.fn<AuditReader['pageOfPerson']>();
  let app: NestFastifyApplication;

  beforeAll(async () => {
    app = await edgeApp(
      [AccountController],
      [
        { provide: UsersService, useValue: { getAccount } },
        { provide: PreferencesService, useValue: {} },
        { provide: AuditReader, useValue: { pageOfPerson } },
      ],
    );
  });

  afterAll(() => app.close());

  it('shows me my account, and only what is meant to be shown', async () => {
    const account: Account = {
      id: ADA.userId,
      email: 'ada@example.com',
      username: null,
      displayName: 'Ada',
      role: 'USER',
      status: 'active',
      hasPassword: true,
      lastLoginAt: null,
      loginCount: 7,
      failedAttempts: 2,
      blockedAt: null,
      deletedAt: null,
      version: 3,
      createdAt: new Date('2026-11-20T18:00:00Z'),
      updatedAt: new Date('2026-11-20T18:00:00Z'),
    };
    getAccount.mockResolvedValueOnce({ ...account, passwordHash: '$argon2id$secret' } as Account);
    const answer = await app.inject({ url: '/users/me', headers: AS_ADA });
    expect([answer.statusCode, answer.headers.etag]).toEqual([200, expect.stringMatching(/^"3-/)]);
    expect(answer.json()).toEqual({
      id: ADA.userId,
      email: 'ada@example.com',
      username: null,
      displayName: 'Ada',
      role: 'USER',
      lastLoginAt: null,
      version: 3,
      createdAt: '2026-11-20T18:00:00.000Z',
      updatedAt: '2026-11-20T18:00:00.000Z',
    });
    expect(getAccount).toHaveBeenCalledWith(ADA.userId);
  });

  it('lists a repeated refresh to the minute, once it tells no thief any more when a token was exchanged', async () => {
    const minute = Math.floor(Date.now() / 60_000) * 60_000;
    const entry = { id: '1', outcome: 'success', code: null, actor: `user:${ADA.userId}` };
    const entries = (['refresh_repeated', 'login'] as const).flatMap((action) =>
      [minute + 30_123, minute - 89_877].map((at) => ({ ...entry, action, at: new Date(at) })),
    );
    pageOfPerson.mockResolvedValueOnce({ items: entries as unknown as AuditEntry[], nextCursor: null });
    const answer = await app.inject({ url: '/users/me/activity', headers: AS_ADA });
    const { items } = answer.json<{ items: { action: string; at: string }[] }>();
    expect(items.map(({ action, at }) => [action, Date.parse(at) - minute])).toEqual([
      ['refresh_repeated', -120_000],
      ['login', 30_123],
      ['login', -89_877],
    ]);
  });

  it.each([
    [{}, 'unauthenticated', 'Bearer'],
    [{ authorization: 'Basic ada' }, 'unauthenticated', 'Bearer'],
    [
      { authorization: 'Bearer eve' },
      'token_invalid',
      'Bearer error="invalid_token", error_description="The access token is not valid"',
    ],
  ])('asks who I am with %p', async (headers, code, challenge) => {
    const answer = await app.inject({ url: '/users/me', headers });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers).toMatchObject({
      'www-authenticate': challenge,
      'content-type': expect.stringContaining('application/problem+json'),
    });
    expect(answer.json()).toMatchObject({ code, status: 401, path: '/users/me' });
  });

  it('answers a problem when the account is gone', async () => {
    getAccount.mockRejectedValueOnce(new UserNotFoundError(ADA.userId));
    const answer = await app.inject({ url: '/users/me', headers: AS_ADA });
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([404, 'user_not_found']);
  });
});
