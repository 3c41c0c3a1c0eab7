import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AS_ADA, edgeApp } from '../../../test/support/edge-app.js';
import { SigningKeysController } from './signing-keys.controller.js';
import { SigningKeysService } from './signing-keys.service.js';

describe('the edge of signing keys', () => {
  const keys = { list: jest.fn<SigningKeysService['list']>(), rotate: jest.fn<SigningKeysService['rotate']>() };
  let app: NestFastifyApplication;

  beforeAll(async () => {
    app = await edgeApp([SigningKeysController], [{ provide: SigningKeysService, useValue: keys }]);
  });

  afterAll(() => app.close());

  it.each([
    ['GET', '/auth/signing-keys'],
    ['POST', '/auth/signing-keys/rotate'],
  ] as const)('is for administrators only: %s %s', async (method, url) => {
    expect((await app.inject({ method, url, headers: AS_ADA })).statusCode).toBe(403);
    expect([keys.list, keys.rotate].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
  });
});
