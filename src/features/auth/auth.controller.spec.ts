import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ADA, AS_ADA, edgeApp } from '../../../test/support/edge-app.js';
import { BusyError } from '../../platform/process/semaphore.js';
import { AuthController } from './auth.controller.js';
import { InvalidCredentialsError, InvalidRefreshTokenError, TokenReusedError } from './auth.errors.js';
import { LoginService } from './login/login.service.js';
import { SessionsService } from './sessions/sessions.service.js';

const USER = {
  id: ADA.userId,
  email: 'ada@example.com',
  username: 'ada',
  displayName: 'Ada',
  role: 'USER' as const,
  createdAt: new Date('2026-11-20T18:00:00Z'),
};
const SHOWN = { ...USER, createdAt: '2026-11-20T18:00:00.000Z' };
const TOKENS = {
  accessToken: 'access',
  refreshToken: 'refresh',
  expiresInSeconds: 900,
  refreshExpiresInSeconds: 604_800,
};
const SHOWN_TOKENS = {
  accessToken: 'access',
  refreshToken: 'refresh',
  tokenType: 'Bearer',
  expiresIn: 900,
  refreshExpiresIn: 604_800,
};
const KNOWN = 'k'.repeat(64);

describe('the edge of auth', () => {
  const logins = { login: jest.fn<LoginService['login']>() };
  const sessions = {
    refresh: jest.fn<SessionsService['refresh']>(),
    logout: jest.fn<SessionsService['logout']>(),
  };
  let app: NestFastifyApplication;

  beforeAll(async () => {
    app = await edgeApp(
      [AuthController],
      [
        { provide: LoginService, useValue: logins },
        { provide: SessionsService, useValue: sessions },
      ],
    );
  });

  beforeEach(() => {
    jest.resetAllMocks();
  });

  afterAll(() => app.close());

  const post = (url: string, payload: object, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url, payload, headers });

  describe('POST /auth/login', () => {
    it('answers tokens and the account, not to be cached', async () => {
      logins.login.mockResolvedValue({ ...TOKENS, user: USER, knownDevice: KNOWN });
      const answer = await post('/auth/login', { identifier: 'ada', password: 'x' }, { 'user-agent': 'a'.repeat(300) });
      expect([answer.statusCode, answer.json()]).toEqual([200, { ...SHOWN_TOKENS, user: SHOWN, knownDevice: KNOWN }]);
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(logins.login).toHaveBeenCalledWith(
        { identifier: 'ada', password: 'x' },
        { ip: '127.0.0.1', userAgent: 'a'.repeat(256) },
      );
    });

    it('does without a user agent', async () => {
      logins.login.mockResolvedValue({ ...TOKENS, user: USER, knownDevice: KNOWN });
      await app.inject({
        method: 'POST',
        url: '/auth/login',
        payload: { identifier: 'ada', password: 'x' },
        headers: { 'user-agent': undefined },
      });
      expect(logins.login).toHaveBeenCalledWith(
        { identifier: 'ada', password: 'x' },
        { ip: '127.0.0.1', userAgent: null },
      );
    });

    it('says no more than that something is wrong', async () => {
      logins.login.mockRejectedValue(new InvalidCredentialsError());
      const answer = await post('/auth/login', { identifier: 'ada', password: 'wrong' });
      expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([401, 'invalid_credentials']);
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    });

    it('answers 503 when too many are signing in', async () => {
      logins.login.mockRejectedValue(new BusyError());
      const answer = await post('/auth/login', { identifier: 'ada', password: 'x' });
      expect([answer.statusCode, answer.json<{ code: string }>().code, answer.headers['retry-after']]).toEqual([
        503,
        'busy',
        '1',
      ]);
    });

    it.each([
      [{}],
      [{ identifier: 'ada' }],
      [{ identifier: '', password: 'x' }],
      [{ identifier: 'ada\u0000', password: 'x' }],
      [{ identifier: 'ada', password: 'x'.repeat(129) }],
      [{ identifier: { $ne: null }, password: 'x' }],
      [{ identifier: 'ada', password: 'x', remember: true }],
    ])('refuses %p', async (body) => {
      const answer = await post('/auth/login', body);
      expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([400, 'invalid_request']);
    });

    it('takes JSON only', async () => {
      const answer = await app.inject({
        method: 'POST',
        url: '/auth/login',
        payload: 'identifier=ada&password=x',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      expect(answer.statusCode).toBe(415);
    });
  });

  describe('POST /auth/refresh', () => {
    it('answers a new pair, not to be cached', async () => {
      sessions.refresh.mockResolvedValue(TOKENS);
      const answer = await post('/auth/refresh', { refreshToken: 'old' });
      expect([answer.statusCode, answer.json()]).toEqual([200, SHOWN_TOKENS]);
      expect(answer.headers['cache-control']).toBe('no-store');
    });

    it.each([[{}], [{ knownDevice: KNOWN }]])('says who presents the token, with %p', async (shown) => {
      sessions.refresh.mockResolvedValue(TOKENS);
      await post('/auth/refresh', { refreshToken: 'old', ...shown }, { 'user-agent': 'phone' });
      expect(sessions.refresh).toHaveBeenCalledWith('old', { ip: '127.0.0.1', userAgent: 'phone', ...shown });
    });

    it.each([
      [new InvalidRefreshTokenError(), 'invalid_refresh_token'],
      [new TokenReusedError(), 'token_reused'],
    ])('says why with %p', async (error, code) => {
      sessions.refresh.mockRejectedValue(error);
      const answer = await post('/auth/refresh', { refreshToken: 'old' });
      expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([401, code]);
    });

    it.each([
      [{}],
      [{ refreshToken: '' }],
      [{ refreshToken: 7 }],
      [{ refreshToken: 'x'.repeat(513) }],
      [{ refreshToken: 'x', knownDevice: 'short' }],
    ])('refuses %p', async (body) => {
      expect((await post('/auth/refresh', body)).statusCode).toBe(400);
    });
  });

  describe('POST /auth/logout', () => {
    it('ends the session of the request', async () => {
      sessions.logout.mockResolvedValue();
      const answer = await app.inject({ method: 'POST', url: '/auth/logout', headers: AS_ADA });
      expect([answer.statusCode, answer.body]).toEqual([204, '']);
      expect(sessions.logout).toHaveBeenCalledWith(ADA);
    });

    it('refuses a request without a token', async () => {
      const answer = await app.inject({ method: 'POST', url: '/auth/logout' });
      expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([401, 'unauthenticated']);
      expect(sessions.logout).not.toHaveBeenCalled();
    });
  });
});
