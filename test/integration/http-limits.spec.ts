/** What every answer carries, and what no request may be: headers, origins, sizes, types, times. */
import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Module, Post } from '@nestjs/common';
import { Audit } from '../../src/platform/audit/audit.decorator.js';
import { Public } from '../../src/platform/auth/authorize.decorator.js';
import { BodyLimit } from '../../src/platform/http/bodies/body-limit.decorator.js';
import { PASSWORD, signIn } from '../support/accounts.fixture.js';
import { TestApp } from '../support/test-app.js';
import { sendRaw } from '../support/raw-http.js';
import { request } from '../support/rest.js';

const ORIGIN = 'https://app.example.com';
const KIB = 1_024;

@Controller('large')
class LargeController {
  @Post()
  @Public()
  @Audit('device_updated')
  @BodyLimit(256 * KIB)
  take(@Body() body: Record<string, string>): { length: number } {
    return { length: body.text?.length ?? 0 };
  }
}

@Module({ controllers: [LargeController] })
class LargeModule {}

let app: TestApp;

beforeAll(async () => {
  app = await TestApp.start({ env: { ROLES: 'api', CORS_ORIGINS: ORIGIN }, extra: [LargeModule] });
});

afterAll(() => app.stop());

function textOf(bytes: number): string {
  return JSON.stringify({ text: 'x'.repeat(bytes - '{"text":""}'.length) });
}

describe('every answer', () => {
  it.each([
    ['a refusal', '/api/v1/users/me', 401],
    ['an unknown path', '/nowhere', 404],
    ['a public document', '/.well-known/jwks.json', 200],
    ['Swagger UI', '/api/docs', 200],
  ])('has the security headers: %s', async (_what, path, status) => {
    const response = await fetch(app.url + path);
    await response.text();
    expect(response.status).toBe(status);
    const headers = Object.fromEntries(response.headers);
    expect(headers).toMatchObject({
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'permissions-policy': expect.stringContaining('camera=()'),
    });
    const policy = headers['content-security-policy'] ?? '';
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("object-src 'none'");
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers.server).toBeUndefined();
  });

  it('stays out of caches when it is private, and only then', async () => {
    const refused = await request(app.url, 'GET', '/api/v1/users/me');
    expect(refused.headers.get('cache-control')).toBe('no-store');
    const keys = await request(app.url, 'GET', '/.well-known/jwks.json');
    expect(keys.headers.get('cache-control')).toBe('public, max-age=300');
  });

  it.each([
    ['/api/docs', 300],
    ['/api/docs-json', 300],
    ['/api/docs/swagger-ui-init.js', 300],
    ['/api/docs/asyncapi.json', 300],
    ['/api/docs/swagger-ui-bundle.js', 86_400],
    ['/.well-known/order-keys.json', 300],
    ['/problems', 3_600],
  ])('may be kept for a while when it is public: %s', async (path, seconds) => {
    const { status, headers } = await fetch(app.url + path, { method: 'HEAD' });
    expect([status, headers.get('cache-control')]).toEqual([200, `public, max-age=${String(seconds)}`]);
  });

  it('is not kept when it is no answer', async () => {
    const { status, headers } = await fetch(`${app.url}/api/docs/nothing.js`);
    expect([status, headers.get('cache-control')]).toEqual([404, 'no-store']);
  });

  it('lets Swagger UI load its own scripts', async () => {
    const page = await (await fetch(`${app.url}/api/docs`)).text();
    const scripts = [...page.matchAll(/<script[^>]*>/g)].map(([tag]) => tag);
    expect(scripts.length).toBeGreaterThan(0);
    expect(scripts.every((tag) => /src=['"]\.\//.test(tag))).toBe(true);
  });
});

describe('compression', () => {
  /** The encoding of an answer, and how many bytes it is without one. */
  async function encodingOf(
    method: string,
    path: string,
    accepted: string,
    options: { readonly body?: string; readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<[string | null, number]> {
    const headers = { 'accept-encoding': accepted, 'content-type': 'application/json', ...options.headers };
    const answer = await fetch(app.url + path, { ...options, method, headers });
    expect(answer.status).toBeLessThan(300);
    return [answer.headers.get('content-encoding'), (await answer.arrayBuffer()).byteLength];
  }

  it.each([
    ['br', 'br'],
    ['gzip', 'gzip'],
    ['gzip, br', 'br'],
    ['identity', null],
  ])('is what the client takes: %s', async (accepted, encoding) => {
    const [given, bytes] = await encodingOf('GET', '/problems', accepted);
    expect(given).toBe(encoding);
    expect(bytes).toBeGreaterThan(1_024);
  });

  it.each(['br', 'gzip'])(
    'by %s leaves out what is small, and tokens beside text that a stranger may have chosen',
    async (accepted) => {
      expect(await encodingOf('GET', '/.well-known/order-keys.json', accepted)).toEqual([null, expect.any(Number)]);
      // Larger than the bound from which on other answers are compressed.
      const email = `${randomUUID()}@example.com`;
      const account = { email, password: PASSWORD, displayName: 'x'.repeat(100) };
      await request(app.url, 'POST', '/api/v1/auth/register', { body: account });
      const credentials = JSON.stringify({ identifier: email, password: PASSWORD });
      const [login, loginBytes] = await encodingOf('POST', '/api/v1/auth/login', accepted, { body: credentials });
      expect([login, loginBytes > 1_024]).toEqual([null, true]);
      const { accessToken: token } = await signIn(app.url, email);
      const device = JSON.stringify({ name: '€'.repeat(100), hardwareId: randomUUID(), room: '€'.repeat(100) });
      const authorization = { authorization: `Bearer ${token}` };
      const [registered, deviceBytes] = await encodingOf('POST', '/api/v1/devices', accepted, {
        body: device,
        headers: authorization,
      });
      expect([registered, deviceBytes > 1_024]).toEqual([null, true]);
      const [list, listBytes] = await encodingOf('GET', '/api/v1/devices', accepted, { headers: authorization });
      expect([list, listBytes > 0]).toEqual([listBytes > 1_024 ? accepted : null, true]);
    },
  );
});

describe('a page of another origin', () => {
  const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' };

  it('may call when it is on the list, with credentials', async () => {
    const answer = await request(app.url, 'OPTIONS', '/api/v1/devices', { headers: { origin: ORIGIN, ...preflight } });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
    expect(answer.headers.get('access-control-allow-headers')).toBe('authorization');
    const refused = await request(app.url, 'GET', '/api/v1/devices', { headers: { origin: ORIGIN } });
    expect(refused.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    const readable = refused.headers.get('access-control-expose-headers')?.split(', ');
    expect(readable).toEqual(expect.arrayContaining(['Age', 'ETag', 'Retry-After']));
    expect(refused.headers.get('vary')).toMatch(/origin/i);
  });

  it.each([
    'https://app.example.com.evil.example',
    'https://evil-app.example.com',
    'http://app.example.com',
    'https://APP.example.com',
    'https://app.example.com:8443',
    'null',
    '*',
  ])('gets no CORS header when it is not: %s', async (origin) => {
    for (const [method, headers] of [
      ['OPTIONS', { origin, ...preflight }],
      ['GET', { origin }],
    ] as const) {
      const answer = await request(app.url, method, '/api/v1/devices', { headers });
      const names = [...answer.headers.keys()].filter((name) => name.startsWith('access-control-'));
      expect(names).toEqual([]);
    }
  });
});

describe('a method', () => {
  const DEVICES = '/api/v1/devices';
  const METHODS = 'GET, HEAD, OPTIONS, POST';

  it('that is not there is 405 where others are, and 404 elsewhere', async () => {
    for (const method of ['DELETE', 'PUT', 'PATCH']) {
      const answer = await request(app.url, method, DEVICES);
      expect([answer.status, answer.headers.get('allow'), answer.body.code]).toEqual([
        405,
        METHODS,
        'method_not_allowed',
      ]);
      const unknown = await request(app.url, method, '/api/v1/doors');
      expect([unknown.status, unknown.headers.get('allow'), unknown.body.code]).toEqual([404, null, 'route_not_found']);
    }
    for (const path of ['/api/health', '/metrics', '/.well-known/jwks.json', '/api/docs-json']) {
      const answer = await request(app.url, 'DELETE', path);
      expect([path, answer.status, answer.headers.get('allow')]).toEqual([path, 405, 'GET, HEAD, OPTIONS']);
    }
  });

  it('OPTIONS is answered with the others, for a page of a listed origin with more', async () => {
    for (const headers of [{}, { origin: 'https://elsewhere.example' }]) {
      const answer = await request(app.url, 'OPTIONS', DEVICES, { headers });
      expect([answer.status, answer.headers.get('allow'), answer.body]).toEqual([204, METHODS, undefined]);
      expect((await request(app.url, 'OPTIONS', '/api/v1/doors', { headers })).status).toBe(404);
    }
  });

  it('HEAD is GET without its body', async () => {
    const head = await fetch(app.url + DEVICES, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([401, '']);
    expect((await fetch(`${app.url}/.well-known/jwks.json`, { method: 'HEAD' })).status).toBe(200);
  });
});

describe('a request', () => {
  const LOGIN = '/api/v1/auth/login';

  it('has a body of 64 KiB at most, unless its route says otherwise', async () => {
    const at = async (path: string, bytes: number): Promise<[number, unknown]> => {
      const { status, body } = await request(app.url, 'POST', path, { body: textOf(bytes) });
      return [status, body.code ?? body.length];
    };
    expect(await at(LOGIN, 64 * KIB)).toEqual([400, 'invalid_request']);
    expect(await at(LOGIN, 64 * KIB + 1)).toEqual([413, 'body_too_large']);
    expect(await at('/api/v1/large', 256 * KIB)).toEqual([201, 256 * KIB - 11]);
    expect(await at('/api/v1/large', 256 * KIB + 1)).toEqual([413, 'body_too_large']);
  });

  it('cannot hide its size by sending it in pieces', async () => {
    const piece = `10000\r\n${'x'.repeat(64 * KIB)}\r\n`;
    const head = [`POST ${LOGIN} HTTP/1.1`, 'Content-Type: application/json', 'Transfer-Encoding: chunked'];
    expect((await sendRaw(app.url, head, `${piece}1\r\nx\r\n0\r\n\r\n`)).status).toBe(413);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/xml'])(
    'has a body of JSON: %s is refused',
    async (type) => {
      const answer = await request(app.url, 'POST', LOGIN, { body: '{}', headers: { 'content-type': type } });
      expect(answer.status).toBe(415);
      expect(answer.body).toMatchObject({ code: 'unsupported_media_type' });
    },
  );

  it('has headers of 16 KiB at most', async () => {
    const answer = await sendRaw(app.url, ['GET /api/health/live HTTP/1.1', `X-Long: ${'x'.repeat(17 * KIB)}`]);
    expect(answer.status).toBe(431);
  });

  it('has a bounded time to arrive', () => {
    const server = app.nest.getHttpServer() as unknown as Server & { connectionsCheckingInterval?: number };
    expect(server.headersTimeout).toBe(10_000);
    expect(server.requestTimeout).toBe(30_000);
    // Nothing may move for as long as an answer may take: REQUEST_TIMEOUT, and a minute more for changes to many accounts.
    expect(server.timeout).toBe(85_000);
  });
});
