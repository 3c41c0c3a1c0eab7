/**
 * P-33: malformed requests never crash: paths, queries, headers, methods, and what is no HTTP at all. Each is answered by
 * a problem document with a 4xx, and the process goes on.
 * Seen to fail: with Fastify's own answer to what is no HTTP.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { exactBytes, exactRequest, expectProblem } from '../support/exact-http.js';
import { recordFigure } from '../support/promise.js';
import { BadInputTarget } from '../support/bad-input-target.js';

const DEVICES = '/api/v1/devices';

let target: BadInputTarget;

beforeAll(async () => {
  target = await BadInputTarget.start();
}, 60_000);

afterAll(() => target.stop(), 60_000);

describe('P-33: bad requests over HTTP', () => {
  it.each([
    ['/api/v1/devices/%zz', 400],
    ['/api/v1/devices/%', 400],
    ['/api/v1/devices/%c0%80', 400],
    ['/api/v1/devices/%00', 404],
    ['/api/v1/devices/not-a-uuid', 404],
    ['/api/v1/devices/00000000-0000-0000-0000-00000000000', 404],
    ['/api/v1/devices/00000000-0000-0000-0000-0000000000000', 404],
    ["/api/v1/devices/'%20OR%201=1--", 404],
    ['/api/v1/devices/__proto__', 404],
    [`/api/v1/devices/${'a'.repeat(201)}`, 414],
    ['/api/v1/devices/..%2fusers%2fme', 404],
    ['/api//v1/devices', 404],
    ['/API/V1/DEVICES', 404],
    ['/api/v1/devices;x=1', 404],
    ['/api/v1/devices/', 404],
    ['/nowhere', 404],
  ])('refuses the path %s', async (path, status) => {
    expectProblem(await target.send({ path }), status);
  });

  it('refuses a command id that is none', async () => {
    for (const id of ['x', '%00', `${randomUUID()}x`, 'constructor']) {
      expectProblem(await target.send({ path: `${DEVICES}/${target.device.id}/commands/${id}` }), 404);
      expectProblem(
        await target.send({ method: 'DELETE', path: `${DEVICES}/${target.device.id}/commands/${id}` }),
        404,
      );
    }
  });

  it.each(['PUT', 'OPTIONS', 'TRACE', 'PROPFIND', 'REPORT', 'DELETE'])(
    'refuses %s where there is nothing of the kind',
    async (method) => {
      expectProblem(await target.send({ method, path: '/nowhere' }), 404);
      if (method !== 'OPTIONS') {
        expectProblem(await target.send({ method, path: DEVICES }), 405);
      }
    },
  );

  it('answers HEAD with the head of a problem, and no body', async () => {
    const answer = await exactRequest(target.url, { method: 'HEAD', path: DEVICES });
    expect(answer).toMatchObject({ status: 401, text: '' });
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  });

  it.each([
    'limit=0',
    'limit=-1',
    'limit=201',
    'limit=1e3',
    'limit=1.5',
    'limit=NaN',
    'limit=',
    'limit=Infinity',
    'limit=0x10000',
    'limit=1&limit=2',
    'limit[]=1',
    'cursor=a&cursor=b',
    'cursor=%00',
    'cursor=zzzz',
    `cursor=${'A'.repeat(513)}`,
    'sort=owner_id',
    'sort=name&sort=-name',
    'sort[name]=1',
    'type=castle',
    'type=door_lock&type=camera',
    'status=',
    'room=%00',
    'q=%00',
    'q=',
    `q=${'q'.repeat(101)}`,
    'q=a&q=b',
    'unknown=1',
    '__proto__=1',
    '__proto__[admin]=1',
    'constructor.prototype.x=1',
  ])('refuses the query %s', async (query) => {
    expectProblem(await target.send({ path: `${DEVICES}?${query}` }), 400);
  });

  it.each([
    'from=yesterday',
    'from=2026-02-30T10:00:00Z',
    'from=%2B275760-09-13T00:00:00Z',
    'from=-000001-01-01T00:00:00Z',
    'from=1&from=2',
    'to=9999999999999',
    'order=sideways',
    'order=asc&order=desc',
    'type=nothing',
    'cursor=.',
    'cursor=MS4x',
    `cursor=${Buffer.from(`x.${'9'.repeat(20)}.${'9'.repeat(20)}`).toString('base64url')}`,
  ])('refuses the history query %s', async (query) => {
    expectProblem(await target.send({ path: `${DEVICES}/${target.device.id}/events?${query}` }), 400);
  });

  it('takes what only looks dangerous: wildcards and quotes in a search, and what means nothing', async () => {
    for (const query of ['room=%ED%A0%80%00', 'room=%zz']) {
      expect((await target.send({ path: `${DEVICES}?${query}` })).status).toBe(200);
    }
    for (const q of ['%25', '_', '%5C', '%5C%5C', "'%20OR%20'1'='1", '%22', '%F0%9F%9A%AA']) {
      expect((await target.send({ path: `${DEVICES}?q=${q}` })).status).toBe(200);
    }
  });

  it.each([
    ['empty', ''],
    ['a space', 'a b'],
    ['129 characters', 'k'.repeat(129)],
    ['no ASCII', '\u00e9'],
  ])('refuses an Idempotency-Key that is %s', async (_what, key) => {
    expectProblem(
      await target.post('{"name":"lock_door"}', `${DEVICES}/${target.device.id}/commands`, { 'idempotency-key': key }),
      400,
    );
  });

  it('refuses two keys, and none', async () => {
    const path = `${DEVICES}/${target.device.id}/commands`;
    const body = '{"name":"lock_door"}';
    const authorization = `Bearer ${target.owner.accessToken}`;
    expectProblem(
      await exactRequest(target.url, {
        method: 'POST',
        path,
        body,
        headers: { authorization, 'idempotency-key': ['a', 'b'] },
      }),
      400,
    );
    expectProblem(await exactRequest(target.url, { method: 'POST', path, body, headers: { authorization } }), 400);
  });

  it.each([
    'Bearer',
    'Bearer ',
    'Basic YTpi',
    'Bearer a b',
    'Bearer ..',
    `Bearer ${'a'.repeat(4_097)}`,
    'Bearer eyJhbGciOiJub25lIn0.e30.',
    'Bearer \u00ff\u00fe',
  ])('answers 401 to the credentials %j', async (authorization) => {
    expectProblem(await target.send({ path: DEVICES, headers: { authorization } }), 401);
  });

  it('ignores a malformed wish to wait, and a malformed request id', async () => {
    const answer = await target.send({
      path: DEVICES,
      headers: { prefer: 'wait=-1, wait=1e9, ;;;', 'x-request-id': '<script>', traceparent: '00-zz-zz-00' },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers['x-request-id']).not.toContain('<');
  });

  it.each([
    ['no HTTP', 'HELO example.com\r\n\r\n'],
    ['a TLS greeting', Buffer.from('16030100a5010000a10303', 'hex')],
    ['an unknown method', 'BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['another version', 'GET / HTTP/9.9\r\nHost: x\r\n\r\n'],
    ['a header with a NUL', 'GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n'],
    ['a header without an end', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`],
    ['a negative length', 'POST /api/v1/devices HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n'],
    ['two lengths', 'POST /api/v1/devices HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'a length and chunks',
      'POST /api/v1/devices HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'a chunk that is none',
      'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    ],
    ['a line folded', 'GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n: c\r\n\r\n'],
  ])('refuses %s, with a problem, and hangs up', async (_what, bytes) => {
    target.sent += 1;
    expectProblem(await exactBytes(target.url, bytes));
  });

  it('is alive after all of it: the door opens, and nothing went wrong inside', async () => {
    await target.expectHealthy();
    recordFigure({
      promise: 'P-33',
      shown: 'Bad paths, queries, headers and methods over HTTP, picked by hand.',
      n: target.sent,
      figure: '0 answers of 5xx, 0 crashes',
    });
  }, 60_000);
});
