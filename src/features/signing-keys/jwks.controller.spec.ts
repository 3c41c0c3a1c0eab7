import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { edgeApp } from '../../../test/support/edge-app.js';
import { JwksController } from './jwks.controller.js';
import { SigningKeysService } from './signing-keys.service.js';

describe('GET /.well-known/jwks.json', () => {
  const keys = { listVerificationKeys: jest.fn<SigningKeysService['listVerificationKeys']>() };
  let app: NestFastifyApplication;

  beforeAll(async () => {
    app = await edgeApp([JwksController], [{ provide: SigningKeysService, useValue: keys }]);
  });

  afterAll(() => app.close());

  it('serves the public halves without signing in, and lets caches keep them', async () => {
    const rsa = { kty: 'RSA', kid: 'k', alg: 'RS256' as const, use: 'sig' as const, n: 'n', e: 'AQAB' };
    const bare = { kty: 'RSA', kid: 'l', alg: 'RS256' as const, use: 'sig' as const };
    keys.listVerificationKeys.mockResolvedValue([{ ...rsa, d: 'private' } as never, bare]);
    const answer = await app.inject('/.well-known/jwks.json');
    expect([answer.statusCode, answer.json()]).toEqual([200, { keys: [rsa, bare] }]);
    expect(answer.headers['cache-control']).toBe('public, max-age=300');
    expect(keys.listVerificationKeys).toHaveBeenCalledWith('access_token');
  });
});
