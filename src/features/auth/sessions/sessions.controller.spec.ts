import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ADA, AS_ADA, edgeApp } from '../../../../test/support/edge-app.js';
import { SessionNotFoundError } from '../auth.errors.js';
import type { Session } from '../auth.types.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsService } from './sessions.service.js';
import { AccessRevocationService } from './access-revocation.service.js';

const NOON = new Date('2026-11-20T12:00:00Z');
const SESSION: Session = {
  id: ADA.sessionId,
  device: 'Firefox on Linux',
  ip: '192.0.2.7',
  createdAt: NOON,
  lastSeenAt: new Date('2026-11-20T12:07:59.999Z'),
  expiresAt: new Date('2026-11-27T12:07:31Z'),
  rememberMe: false,
};

/** No time of theirs tells the moment of a refresh. */
const ROUNDED = {
  createdAt: '2026-11-20T12:00:00.000Z',
  lastSeenAt: '2026-11-20T12:07:00.000Z',
  expiresAt: '2026-11-27T13:00:00.000Z',
};

describe('the edge of sessions', () => {
  const sessions = {
    list: jest.fn<SessionsService['list']>(),
  };
  const access = {
    endSession: jest.fn<AccessRevocationService['endSession']>(),
    logoutAll: jest.fn<AccessRevocationService['logoutAll']>(),
  };
  let app: NestFastifyApplication;

  beforeAll(async () => {
    app = await edgeApp(
      [SessionsController],
      [
        { provide: SessionsService, useValue: sessions },
        { provide: AccessRevocationService, useValue: access },
      ],
    );
  });

  beforeEach(() => {
    jest.resetAllMocks();
  });

  afterAll(() => app.close());

  const call = (method: 'GET' | 'POST' | 'DELETE', url: string, headers: Record<string, string> = AS_ADA) =>
    app.inject({ method, url, headers });

  it('shows a session with what is meant to be shown', async () => {
    sessions.list.mockResolvedValue([{ ...SESSION, refreshHash: 'secret' } as never, { ...SESSION, id: 'other' }]);
    const { statusCode, body } = await call('GET', '/auth/sessions');
    const { ip: address, ...rest } = SESSION;
    const shown = { ...rest, address, ...ROUNDED };
    expect([statusCode, JSON.parse(body)]).toEqual([
      200,
      {
        items: [
          { ...shown, current: true },
          { ...shown, id: 'other', current: false },
        ],
      },
    ]);
    expect(sessions.list).toHaveBeenCalledWith(ADA.userId);
  });

  it('ends one of my own', async () => {
    expect((await call('DELETE', '/auth/sessions/one')).statusCode).toBe(204);
    expect(access.endSession).toHaveBeenCalledWith(ADA.userId, 'one');
    access.endSession.mockRejectedValue(new SessionNotFoundError());
    expect((await call('DELETE', '/auth/sessions/two')).statusCode).toBe(404);
  });

  it('ends all, or all others, and takes the cookie of a web client with the last', async () => {
    access.logoutAll.mockResolvedValue(2);
    const all = await call('POST', '/auth/logout-all', { ...AS_ADA, 'x-client-type': 'web' });
    expect([all.statusCode, all.json()]).toEqual([200, { ended: 2 }]);
    expect(all.headers['set-cookie']).toMatch(/^__Host-mortise_refresh=;.*Path=\/;.*Secure/);
    const others = await call('POST', '/auth/logout-others');
    expect([others.statusCode, others.headers['set-cookie']]).toEqual([200, undefined]);
    expect(access.logoutAll.mock.calls).toEqual([
      [ADA, { others: false }],
      [ADA, { others: true }],
    ]);
  });

  it.each([
    ['GET', '/auth/sessions', 401],
    ['DELETE', '/auth/sessions/one', 401],
    ['POST', '/auth/logout-all', 401],
    ['POST', '/auth/logout-others', 401],
  ] as const)('refuses a request without a token: %s %s', async (method, url, status) => {
    expect((await call(method, url, {})).statusCode).toBe(status);
  });
});
