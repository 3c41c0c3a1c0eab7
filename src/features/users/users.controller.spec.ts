import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ADA, AS_ADA, edgeApp } from '../../../test/support/edge-app.js';
import { UsersController } from './users.controller.js';
import { UserNotFoundError } from './users.errors.js';
import { UsersService } from './users.service.js';

describe('GET /users/me', () => {
  const get = jest.fn<UsersService['get']>();
  let app: NestFastifyApplication;

  beforeAll(async () => {
    app = await edgeApp([UsersController], [{ provide: UsersService, useValue: { get } }]);
  });

  afterAll(() => app.close());

  it('shows me my account, and only what is meant to be shown', async () => {
    const row = {
      id: ADA.userId,
      email: 'ada@example.com',
      username: null,
      displayName: 'Ada',
      role: 'USER' as const,
      createdAt: new Date('2026-11-20T18:00:00Z'),
    };
    get.mockResolvedValueOnce({ ...row, passwordHash: '$argon2id$secret' } as never);
    const answer = await app.inject({ url: '/users/me', headers: AS_ADA });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ ...row, createdAt: '2026-11-20T18:00:00.000Z' });
    expect(get).toHaveBeenCalledWith(ADA.userId);
  });

  it.each([[{}], [{ authorization: 'Bearer eve' }], [{ authorization: 'Basic ada' }]])(
    'asks who I am with %p',
    async (headers) => {
      const answer = await app.inject({ url: '/users/me', headers });
      expect(answer.statusCode).toBe(401);
      expect(answer.headers).toMatchObject({
        'www-authenticate': 'Bearer',
        'content-type': expect.stringContaining('application/problem+json'),
      });
      expect(answer.json()).toMatchObject({ code: 'unauthenticated', status: 401, path: '/users/me' });
    },
  );

  it('answers a problem when the account is gone', async () => {
    get.mockRejectedValueOnce(new UserNotFoundError(ADA.userId));
    const answer = await app.inject({ url: '/users/me', headers: AS_ADA });
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([404, 'user_not_found']);
  });
});
