import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ADA, edgeApp } from '../../../../test/support/edge-app.js';
import { RegistrationController } from './registration.controller.js';
import { RegistrationService } from './registration.service.js';

const ACCOUNT = { email: 'ada@example.com', password: 'tangerine harbour plumage' };
const USER = {
  id: ADA.userId,
  email: 'ada@example.com',
  username: 'ada',
  displayName: 'Ada',
  role: 'USER' as const,
  createdAt: new Date('2026-11-20T18:00:00Z'),
};
const SHOWN = { ...USER, createdAt: '2026-11-20T18:00:00.000Z' };

describe('the edge of registration', () => {
  const registration = {
    register: jest.fn<RegistrationService['register']>(),
    confirm: jest.fn<RegistrationService['confirm']>(),
  };
  let app: NestFastifyApplication;

  beforeAll(async () => {
    app = await edgeApp([RegistrationController], [{ provide: RegistrationService, useValue: registration }]);
  });

  beforeEach(() => {
    jest.resetAllMocks();
  });

  afterAll(() => app.close());

  const post = (url: string, payload: object) => app.inject({ method: 'POST', url, payload });

  describe('POST /auth/register', () => {
    it('answers the account it made, and only what is meant to be shown', async () => {
      registration.register.mockResolvedValue({ ...USER, passwordHash: '$argon2id$secret' } as never);
      const answer = await post('/auth/register', { ...ACCOUNT, username: 'Ada', displayName: 'Ada' });
      expect([answer.statusCode, answer.json()]).toEqual([201, SHOWN]);
    });

    it('composes a password before it measures it', async () => {
      registration.register.mockResolvedValue(USER);
      expect((await post('/auth/register', { ...ACCOUNT, password: 'e\u0301'.repeat(120) })).statusCode).toBe(201);
      expect(registration.register).toHaveBeenCalledWith(expect.objectContaining({ password: '\u00E9'.repeat(120) }));
    });

    it.each([
      ['/email', { ...ACCOUNT, email: 'ada' }],
      ['/email', { password: ACCOUNT.password }],
      ['/email', { ...ACCOUNT, email: ['ada@example.com'] }],
      ['/email', { ...ACCOUNT, email: `${'a'.repeat(250)}@example.com` }],
      ['/username', { ...ACCOUNT, username: 'a' }],
      ['/username', { ...ACCOUNT, username: 'ada@home' }],
      ['/username', { ...ACCOUNT, username: 7 }],
      ['/password', { ...ACCOUNT, password: 'short' }],
      ['/password', { ...ACCOUNT, password: 'long '.repeat(26) }],
      ['/password', { ...ACCOUNT, password: { length: 12 } }],
      ['/displayName', { ...ACCOUNT, displayName: '   ' }],
      ['/displayName', { ...ACCOUNT, displayName: 'Ada\u0007' }],
      ['/role', { ...ACCOUNT, role: 'ADMIN' }],
      ['/id', { ...ACCOUNT, id: ADA.userId }],
    ])('points at %s in %p', async (pointer, body) => {
      const answer = await post('/auth/register', body);
      expect(answer.statusCode).toBe(400);
      expect(answer.json()).toMatchObject({
        code: 'invalid_request',
        errors: expect.arrayContaining([expect.objectContaining({ pointer })]),
      });
      expect(registration.register).not.toHaveBeenCalled();
    });
  });

  it('answers nothing but 202 where a mail says more', async () => {
    registration.register.mockResolvedValue(null);
    const answer = await post('/auth/register', ACCOUNT);
    expect([answer.statusCode, answer.body]).toEqual([202, '']);
  });

  it('confirms by what can be a token, and nothing else', async () => {
    registration.confirm.mockResolvedValue(USER);
    const answer = await post('/auth/register/confirm', {
      token: 't'.repeat(43),
      password: 'tangerine harbour plumage',
    });
    expect([answer.statusCode, answer.json()]).toEqual([201, SHOWN]);
    expect((await post('/auth/register/confirm', { token: 'short', password: 'x' })).statusCode).toBe(400);
    expect(registration.confirm).toHaveBeenCalledTimes(1);
  });
});
