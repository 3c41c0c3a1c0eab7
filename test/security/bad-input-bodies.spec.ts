/**
 * P-33: malformed bodies never crash; here over HTTP. Each is answered by a problem document with a 4xx, and the process
 * goes on.
 * Seen to fail: with `JSON.parse` alone for a body (depth, invalid UTF-8, half surrogate pairs: 500).
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { type ApiRoute, documentedRoutes, fill, GOOD_BODIES } from '../support/api-routes.js';
import { expectProblem } from '../support/exact-http.js';
import { recordFigure } from '../support/promise.js';
import { BadInputTarget } from '../support/bad-input-target.js';

const DEVICES = '/api/v1/devices';
const BODY_LIMIT = 64 * 1024;

let target: BadInputTarget;
let routes: ApiRoute[];

const good = (): Record<string, unknown> => ({ name: 'Side door', hardwareId: randomUUID() });

beforeAll(async () => {
  target = await BadInputTarget.start();
  routes = await documentedRoutes(target.url);
}, 60_000);

afterAll(() => target.stop(), 60_000);

describe('P-33: bad bodies over HTTP', () => {
  it.each([
    ['an open brace', '{'],
    ['a trailing comma', '{"name":"a",}'],
    ['single quotes', "{'name':'a'}"],
    ['two values', '{}{}'],
    ['nothing at all', ''],
    ['white space', '   '],
    ['a lone escape', '{"name":"\\x"}'],
    ['a control character in a string', '{"name":"a\u0001"}'],
    ['a half escape', '{"name":"\\ud8"}'],
    ['NaN', '{"name":NaN}'],
    ['null', 'null'],
    ['an array', '[]'],
    ['a string', '"device"'],
    ['a number beyond all bounds', '1e999'],
    ['a deep array', '['.repeat(20_000) + ']'.repeat(20_000)],
    ['a deep object', `{"name":${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}}`],
    ['__proto__', '{"name":"a","hardwareId":"b","__proto__":{"admin":true}}'],
    ['__proto__ in disguise', '{"name":"a","hardwareId":"b","\\u005f_proto__":{"admin":true}}'],
    ['constructor.prototype', '{"name":"a","hardwareId":"b","constructor":{"prototype":{"admin":true}}}'],
    ['U+0000', '{"name":"a\\u0000b","hardwareId":"c"}'],
    ['half a surrogate pair', '{"name":"a\\ud800b","hardwareId":"c"}'],
    ['the other half', '{"name":"\\udc00","hardwareId":"c"}'],
  ])('refuses %s', async (_what, body) => {
    expectProblem(await target.post(body, DEVICES), 400);
  });

  it.each([
    ['a byte that never occurs', [0xff]],
    ['a truncated character', [0xe2, 0x82]],
    ['an overlong NUL', [0xc0, 0x80]],
    ['a surrogate in UTF-8', [0xed, 0xa0, 0x80]],
  ])('refuses invalid UTF-8: %s', async (_what, bytes) => {
    const hardwareId = randomUUID();
    const body = Buffer.concat([
      Buffer.from('{"name":"a'),
      Buffer.from(bytes),
      Buffer.from(`","hardwareId":"${hardwareId}"}`),
    ]);
    expectProblem(await target.post(body, DEVICES), 400);
  });

  it.each([
    ['application/x-www-form-urlencoded', 'name=a'],
    ['multipart/form-data; boundary=x', '--x--'],
    ['text/plain', '{}'],
    ['application/xml', '<a/>'],
    ['application/json, text/html', '{}'],
    ['application/jsonx', '{}'],
    ['nonsense', '{}'],
    ['', '{}'],
  ])('takes JSON alone: 415 for content type "%s"', async (type, body) => {
    expectProblem(await target.post(body, DEVICES, { 'content-type': type }), 415);
  });

  it('answers 413 to a body over 64 KiB, with and without an announced length', async () => {
    const large = JSON.stringify({ ...good(), room: 'x'.repeat(BODY_LIMIT) });
    expectProblem(await target.post(large, DEVICES), 413);
    expectProblem(await target.post(large, DEVICES, { 'transfer-encoding': 'chunked' }), 413);
    expectProblem(await target.post(large, '/api/v1/auth/login'), 413);
  });

  it('points at every member that is wrong, missing or unknown', async () => {
    const problem = expectProblem(
      await target.post(
        JSON.stringify({ name: 7, room: ['x'], timeZone: 'Mars/Olympus', admin: true, owned: true }),
        DEVICES,
      ),
      400,
    );
    const pointers = (problem.errors as { pointer: string }[]).map(({ pointer }) => pointer);
    expect(new Set(pointers)).toEqual(new Set(['/name', '/room', '/timeZone', '/hardwareId', '/admin', '/owned']));
  });

  it('refuses text that is too long, in every member', async () => {
    for (const member of ['name', 'hardwareId', 'room', 'timeZone', 'type']) {
      expectProblem(await target.post(JSON.stringify({ ...good(), [member]: 'x'.repeat(30_000) }), DEVICES), 400);
    }
  });

  it.each(['\u200b\u200b', 'Front \u202erood'])('refuses %j as the name of anything', async (name) => {
    for (const [path, body] of [
      [DEVICES, { ...good(), name }],
      [DEVICES, { ...good(), room: name }],
      ['/api/v1/organizations', { name }],
    ] as const) {
      const { errors } = expectProblem(await target.post(JSON.stringify(body), path), 400);
      expect(JSON.stringify(errors)).toContain('must be visible text');
    }
  });

  it('refuses U+0000 and half a surrogate pair in every text member of every route', async () => {
    // What devices say is read with tolerance, once they have shown their token: presence-http.spec.ts. What providers report is read
    // once its signature is good: mail-events.spec.ts, notification-sms.spec.ts.
    const signed = ['POST /api/v1/notifications/mail-events', 'POST /api/v1/notifications/sms-status'];
    const read = routes.filter(({ name, takesBody, byDevice }) => takesBody && !byDevice && !signed.includes(name));
    for (const route of read) {
      const body = GOOD_BODIES[route.name]?.() ?? {};
      for (const [member, value] of Object.entries(body).filter(([, each]) => typeof each === 'string')) {
        for (const evil of ['\0', '\ud800', '\udfff']) {
          const path = fill(route.path, { deviceId: target.device.id });
          expectProblem(
            await target.send({
              method: route.method,
              path,
              body: JSON.stringify({ ...body, [member]: `${String(value)}${evil}` }),
            }),
            400,
          );
        }
      }
    }
  });

  it('has polluted no prototype', () => {
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
    expect(target.application.hasEnded).toBe(false);
  });

  it('is alive after all of it: the door opens, and nothing went wrong inside', async () => {
    await target.expectHealthy();
    recordFigure({
      promise: 'P-33',
      shown: 'Bad bodies over HTTP, picked by hand.',
      n: target.sent,
      figure: '0 answers of 5xx, 0 crashes',
    });
  }, 60_000);
});
