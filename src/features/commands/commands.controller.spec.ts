import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { APP_INTERCEPTOR } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ADA, AS_ADA, edgeApp } from '../../../test/support/edge-app.js';
import type { DeviceRef } from '../../contracts/resources.js';
import { ResourceResolverRegistry } from '../../platform/auth/resource-resolver-registry.js';
import { IdempotencyInterceptor } from '../../platform/idempotency/idempotency.interceptor.js';
import { CommandSubmissionService } from './command-submission.service.js';
import { CommandsController } from './commands.controller.js';
import { CommandNotCancellableError, CommandNotFoundError, DeviceOfflineError } from './commands.errors.js';
import { CommandsService } from './commands.service.js';
import type { Command } from './commands.types.js';

const DEVICE = '019a9f3e-2c10-7a01-8f52-90d1c3a7b6e4';
const SHARED_DEVICE = '019a9f3e-2c10-7a01-8f52-90d1c3a7b6e5';
const FOREIGN_DEVICE = '019a9f3e-2c10-7a01-8f52-90d1c3a7b6e6';
const COMMAND = '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c57';
const TIME = new Date('2026-11-20T18:00:00.000Z');

const queued: Command = {
  id: COMMAND,
  deviceId: DEVICE,
  issuerId: ADA.userId,
  name: 'unlock_door',
  lane: 'bolt',
  payload: { durationMs: 5_000 },
  state: 'QUEUED',
  attempts: 0,
  confirmedBy: 'none',
  result: null,
  errorCode: null,
  errorMessage: null,
  lateResult: null,
  expiresAt: TIME,
  createdAt: TIME,
  sentAt: null,
  receivedAt: null,
  finishedAt: null,
  correlationId: 'request-1',
  version: 1,
};
const executed: Command = {
  ...queued,
  state: 'EXECUTED',
  sentAt: TIME,
  receivedAt: TIME,
  finishedAt: TIME,
  version: 4,
};

const refs: Record<string, DeviceRef> = {
  [DEVICE]: { id: DEVICE, ownerId: ADA.userId, permission: 'admin', owned: true, managed: true },
  [SHARED_DEVICE]: { id: SHARED_DEVICE, ownerId: 'another user', permission: 'view', owned: false, managed: false },
};

describe('the commands of a device over HTTP', () => {
  const submissions = { submit: jest.fn<CommandSubmissionService['submit']>() };
  const service = {
    get: jest.fn<CommandsService['get']>(),
    list: jest.fn<CommandsService['list']>(),
    cancel: jest.fn<CommandsService['cancel']>(),
  };
  let app: NestFastifyApplication;

  beforeAll(async () => {
    app = await edgeApp(
      [CommandsController],
      [
        { provide: CommandsService, useValue: service },
        { provide: CommandSubmissionService, useValue: submissions },
        { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
      ],
    );
    app.get(ResourceResolverRegistry).register('device', {
      resolve: (id) => Promise.resolve(refs[id] ?? null),
      allows: (ref, demand) => demand === 'view' || ref.permission === 'admin',
    });
  });
  afterAll(() => app.close());
  beforeEach(() => {
    [submissions, service].flatMap(Object.values).forEach((method: jest.Mock) => method.mockReset());
  });

  const path = (device = DEVICE, rest = ''): string => `/devices/${device}/commands${rest}`;
  const post = (payload: unknown, headers: Record<string, string> = {}, device = DEVICE) =>
    app.inject({
      method: 'POST',
      url: path(device),
      headers: { ...AS_ADA, 'idempotency-key': 'key-1', 'content-type': 'application/json', ...headers },
      payload: JSON.stringify(payload),
    });
  const pointersOf = (body: unknown): string[] =>
    (body as { errors: { pointer: string }[] }).errors.map(({ pointer }) => pointer);

  describe('POST', () => {
    it('answers 202 with the `Location` of the command', async () => {
      submissions.submit.mockResolvedValue(queued);
      const answer = await post({ name: 'unlock_door', payload: { durationMs: 5_000 } });
      expect(answer.statusCode).toBe(202);
      expect(answer.headers.location).toBe(`/api/v1/devices/${DEVICE}/commands/${COMMAND}`);
      expect(answer.headers['preference-applied']).toBeUndefined();
      expect(answer.json()).toMatchObject({
        id: COMMAND,
        state: 'QUEUED',
        expiresAt: TIME.toISOString(),
        sentAt: null,
      });
      const [submission, waitMs] = submissions.submit.mock.calls[0] ?? [];
      expect(submission).toMatchObject({
        deviceId: DEVICE,
        issuerId: ADA.userId,
        permission: 'admin',
        name: 'unlock_door',
      });
      expect({ ...submission?.payload }).toEqual({ durationMs: 5_000 });
      expect(waitMs).toBeUndefined();
    });

    it('answers 200 with the outcome when the caller preferred to wait and the command settled in time', async () => {
      submissions.submit.mockResolvedValue(executed);
      const answer = await post({ name: 'unlock_door' }, { prefer: 'wait=5' });
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['preference-applied']).toBe('wait=5');
      expect(answer.json()).toMatchObject({ state: 'EXECUTED', finishedAt: TIME.toISOString() });
      expect(submissions.submit.mock.calls[0]?.[1]).toBe(5_000);
    });

    it('answers 202 when the command did not settle in time, and to a repeat without a preference to wait', async () => {
      submissions.submit.mockResolvedValue(queued);
      const late = await post({ name: 'unlock_door' }, { prefer: 'wait=5' });
      expect([late.statusCode, late.headers['preference-applied']]).toEqual([202, undefined]);
      submissions.submit.mockResolvedValue(executed);
      expect((await post({ name: 'unlock_door' })).statusCode).toBe(202);
    });

    it('never shows the signed order', async () => {
      submissions.submit.mockResolvedValue({ ...executed, order: '{}', signature: 'x', correlationId: 'r' } as Command);
      const body = (await post({ name: 'lock_door' })).json<Record<string, unknown>>();
      expect(Object.keys(body).sort()).toEqual(
        [
          'id deviceId issuerId name payload lane state confirmedBy attempts result errorCode errorMessage lateResult',
          'expiresAt createdAt sentAt receivedAt finishedAt version',
        ]
          .join(' ')
          .split(' ')
          .sort(),
      );
    });

    it('needs an idempotency key', async () => {
      const answer = await app.inject({
        method: 'POST',
        url: path(),
        headers: { ...AS_ADA, 'content-type': 'application/json' },
        payload: '{"name":"lock_door"}',
      });
      expect(answer.statusCode).toBe(400);
      expect(answer.json()).toMatchObject({ code: 'idempotency_key_required' });
      expect(submissions.submit).not.toHaveBeenCalled();
    });

    it.each<[string, unknown, string]>([
      ['no name', {}, '/name'],
      ['an unknown name', { name: 'open_sesame' }, '/name'],
      ['a name from the prototype', { name: '__proto__' }, '/name'],
      ['an unknown member', { name: 'lock_door', force: true }, '/force'],
      ['a payload that is no object', { name: 'unlock_door', payload: 'now' }, '/payload'],
      ['a payload that is a list', { name: 'unlock_door', payload: [{ durationMs: 5000 }] }, '/payload'],
      ['a null payload', { name: 'unlock_door', payload: null }, '/payload'],
      ['a payload for a command that takes none', { name: 'lock_door', payload: { force: true } }, '/payload/force'],
      ['a null where nothing belongs', { name: 'lock_door', payload: { nothing: null } }, '/payload/nothing'],
      ['too short an opening', { name: 'unlock_door', payload: { durationMs: 999 } }, '/payload/durationMs'],
      ['too long an opening', { name: 'unlock_door', payload: { durationMs: 30_001 } }, '/payload/durationMs'],
      ['a fraction of a millisecond', { name: 'unlock_door', payload: { durationMs: 1_000.5 } }, '/payload/durationMs'],
      ['a number as text', { name: 'unlock_door', payload: { durationMs: '5000' } }, '/payload/durationMs'],
      ['an unknown quality', { name: 'request_snapshot', payload: { quality: 'best' } }, '/payload/quality'],
      ['an update to nothing', { name: 'firmware_update' }, '/payload'],
      [
        'an update over plain http',
        {
          name: 'firmware_update',
          payload: { version: '2.4.1', url: 'http://a.example/x', sha256: 'ab'.repeat(32), signature: 'c2ln' },
        },
        '/payload/url',
      ],
      [
        'a digest that is none',
        {
          name: 'firmware_update',
          payload: { version: '2.4.1', url: 'https://a.example/x', sha256: 'abc', signature: 'c2ln' },
        },
        '/payload/sha256',
      ],
    ])('refuses %s, and points at it', async (_fault, body, pointer) => {
      const answer = await post(body);
      expect(answer.statusCode).toBe(400);
      expect(answer.headers['content-type']).toContain('application/problem+json');
      expect(answer.json()).toMatchObject({ code: 'invalid_request' });
      expect(pointersOf(answer.json())).toContain(pointer);
      expect(submissions.submit).not.toHaveBeenCalled();
    });

    it.each([
      [{ name: 'lock_door', payload: {} }],
      [{ name: 'restart_device' }],
      [{ name: 'request_snapshot', payload: { quality: 'high' } }],
      [
        {
          name: 'firmware_update',
          payload: {
            version: '2.4.1',
            url: 'https://localhost:8443/x.bin',
            sha256: 'AB'.repeat(32),
            signature: 'c2ln-_==',
          },
        },
      ],
    ])('accepts %j', async (body) => {
      submissions.submit.mockResolvedValue(queued);
      expect((await post(body)).statusCode).toBe(202);
    });

    it('answers why a device cannot take it', async () => {
      submissions.submit.mockRejectedValue(new DeviceOfflineError(DEVICE));
      const answer = await post({ name: 'unlock_door' });
      expect(answer.statusCode).toBe(409);
      expect(answer.json()).toMatchObject({ code: 'device_offline' });
    });

    it('is for users who may control the device', async () => {
      expect((await post({ name: 'lock_door' }, {}, SHARED_DEVICE)).statusCode).toBe(403);
      expect((await post({ name: 'lock_door' }, {}, FOREIGN_DEVICE)).statusCode).toBe(404);
      expect((await post({ name: 'lock_door' }, { authorization: 'Bearer mallory' })).statusCode).toBe(401);
      expect(submissions.submit).not.toHaveBeenCalled();
    });
  });

  describe('GET', () => {
    it('lists with filters, for users who may view the device', async () => {
      service.list.mockResolvedValue({ items: [executed], nextCursor: 'more' });
      const answer = await app.inject({
        url: path(SHARED_DEVICE, '?limit=1&state=EXECUTED&name=unlock_door&cursor=here'),
        headers: AS_ADA,
      });
      expect(answer.statusCode).toBe(200);
      expect(answer.json()).toMatchObject({ items: [{ id: COMMAND, state: 'EXECUTED' }], nextCursor: 'more' });
      expect(service.list).toHaveBeenCalledWith(
        SHARED_DEVICE,
        { state: 'EXECUTED', name: 'unlock_door' },
        { limit: 1, cursor: 'here' },
      );
    });

    it.each(['?state=DONE', '?name=open_sesame', '?limit=0', '?limit=201', '?sort=name'])(
      'refuses %s',
      async (query) => {
        expect((await app.inject({ url: path(DEVICE, query), headers: AS_ADA })).statusCode).toBe(400);
      },
    );

    it('answers with one command, and 404 for an unknown one', async () => {
      service.get.mockResolvedValue(executed);
      expect((await app.inject({ url: path(DEVICE, `/${COMMAND}`), headers: AS_ADA })).json()).toMatchObject({
        id: COMMAND,
      });
      service.get.mockRejectedValue(new CommandNotFoundError());
      const missing = await app.inject({ url: path(DEVICE, '/nothing'), headers: AS_ADA });
      expect([missing.statusCode, missing.json<{ code: string }>().code]).toEqual([404, 'not_found']);
    });
  });

  describe('DELETE', () => {
    it('answers with the cancelled command', async () => {
      service.cancel.mockResolvedValue({ ...queued, state: 'CANCELLED', finishedAt: TIME });
      const answer = await app.inject({ method: 'DELETE', url: path(DEVICE, `/${COMMAND}`), headers: AS_ADA });
      expect([answer.statusCode, answer.json<{ state: string }>().state]).toEqual([200, 'CANCELLED']);
    });

    it('answers 409 when it is in flight', async () => {
      service.cancel.mockRejectedValue(new CommandNotCancellableError('SENT'));
      const answer = await app.inject({ method: 'DELETE', url: path(DEVICE, `/${COMMAND}`), headers: AS_ADA });
      expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([409, 'not_cancellable']);
    });

    it('is for users who may control the device', async () => {
      const url = path(SHARED_DEVICE, `/${COMMAND}`);
      expect((await app.inject({ method: 'DELETE', url, headers: AS_ADA })).statusCode).toBe(403);
    });
  });
});
