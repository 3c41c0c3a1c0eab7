/**
 * Requests that real clients and spreadsheets send, through the whole application. Each was reported of another product,
 * and every test here fails on a build that reads JSON, times, headers and files as their libraries do.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseCsv } from '../../../src/shared/csv/csv.js';
import { type Account, createAdmin, uniqueEmail } from '../../support/accounts.fixture.js';
import { registerDevice } from '../../support/devices.fixture.js';
import { exactRequest, expectProblem, type ExactAnswer } from '../../support/exact-http.js';
import { recordFigure, SEED } from '../../support/promise.js';
import { TestApp } from '../../support/test-app.js';

interface Imported {
  readonly done: number;
  readonly lines: { readonly line: number; readonly errors: { readonly detail: string }[] }[];
}

let application: TestApp;
let admin: Account;
let deviceId: string;

beforeAll(async () => {
  application = await TestApp.start({ env: { ROLES: 'api' } });
  admin = await createAdmin(application);
  deviceId = (await registerDevice(application.url, admin)).id;
}, 60_000);

afterAll(() => application.stop());

const send = (
  method: string,
  path: string,
  body?: string | Buffer,
  headers: Record<string, string> = {},
): Promise<ExactAnswer> =>
  exactRequest(application.url, {
    method,
    path: `/api/v1${path}`,
    headers: { authorization: `Bearer ${admin.accessToken}`, 'idempotency-key': randomUUID(), ...headers },
    ...(body === undefined ? {} : { body }),
  });
const errorsOf = (answer: ExactAnswer, status = 400): unknown => expectProblem(answer, status).errors;

describe('A member that is null', () => {
  it.each([
    ['/commands', '{"name":"unlock_door","payload":{"durationMs":null}}', '/payload/durationMs'],
    ['/commands', '{"name":"request_snapshot","payload":{"quality":null}}', '/payload/quality'],
    ['/commands', '{"name":"lock_door","payload":null}', '/payload'],
  ])('is refused, and no order is signed: %s %s', async (path, body, pointer) => {
    const errors = errorsOf(await send('POST', `/devices/${deviceId}${path}`, body));
    expect(errors).toContainEqual(expect.objectContaining({ pointer }));
    expect(await application.rows('SELECT id FROM commands')).toEqual([]);
  });

  it('is no body either', async () => {
    expect(errorsOf(await send('PATCH', `/devices/${deviceId}`, 'null'))).toEqual([
      { detail: 'the body must be a JSON object, not null', pointer: '' },
    ]);
    expect((await send('PATCH', '/users/me/preferences', 'null')).status).toBe(400);
  });

  it('is refused where a device is registered, but for the room that it then lacks', async () => {
    const device = { name: 'Door', hardwareId: randomUUID(), room: null };
    expect(errorsOf(await send('POST', '/devices', JSON.stringify({ ...device, type: null, timeZone: null })))).toEqual(
      [expect.objectContaining({ pointer: '/type' }), expect.objectContaining({ pointer: '/timeZone' })],
    );
    expect((await send('POST', '/devices', JSON.stringify(device))).status).toBe(201);
  });
});

describe('A time', () => {
  const LISTS = [
    (time: string) => `/devices/${deviceId}/events?from=${time}`,
    (time: string) => `/devices/${deviceId}/events?to=${time}`,
    (time: string) => `/users?createdFrom=${time}`,
    (time: string) => `/users/export?lastLoginTo=${time}`,
    (time: string) => `/audit?from=${time}`,
  ];

  it.each(['2026-02-30T10:00:00Z', '2026-02-29T10:00:00Z', '2026-06-31T10:00:00%2B02:00', '2026-02-01T24:00:00Z'])(
    'that does not exist is refused wherever one is asked for: %s',
    async (time) => {
      for (const list of LISTS) {
        expect(errorsOf(await send('GET', list(time)))).toHaveLength(1);
      }
    },
  );

  it('may have any offset that RFC 3339 knows', async () => {
    for (const list of LISTS) {
      expect((await send('GET', list('2028-02-29T10:00:00%2B23:30'))).status).toBe(200);
    }
  });
});

describe('A request', () => {
  it.each([
    'application/json',
    'application/vnd.api+json',
    'application/x-www-form-urlencoded',
    'text/plain;charset=UTF-8',
    'multipart/form-data; boundary=x',
    'text/csv',
    'json',
  ])('without a body may name any content type: %s', async (type) => {
    const named = { 'content-type': type };
    for (const length of [{}, { 'content-length': '0' }]) {
      const { id } = await registerDevice(application.url, admin);
      expect((await send('DELETE', `/devices/${id}`, undefined, { ...named, ...length })).status).toBe(204);
    }
    expect(errorsOf(await send('POST', '/devices', '', named))).toContainEqual(
      expect.objectContaining({ pointer: '/name' }),
    );
    expect((await send('GET', '/users/me', undefined, named)).status).toBe(200);
  });

  it('has no body where there are blanks alone', async () => {
    const { id } = await registerDevice(application.url, admin);
    expect((await send('DELETE', `/devices/${id}`, ' \r\n\t')).status).toBe(204);
    expect(errorsOf(await send('POST', '/devices', '\n'))).toContainEqual(
      expect.objectContaining({ pointer: '/name' }),
    );
    // What is there must be JSON: no form of a foreign page comes in.
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
      expectProblem(await send('POST', '/devices', '\n', { 'content-type': type }), 415);
    }
    expectProblem(await send('POST', '/users/import', '', { 'content-type': 'text/csv' }), 422);
  });

  it('has its token after one or more spaces, and its scheme in any case', async () => {
    const ask = async (authorization: string): Promise<number> =>
      (await send('GET', '/users/me', undefined, { authorization })).status;
    for (const credentials of ['Bearer  ', 'bearer ', 'BEARER    ']) {
      expect(await ask(credentials + admin.accessToken)).toBe(200);
    }
    expect(await ask(`Bearer\t${admin.accessToken}`)).toBe(401);
  });

  it.each([
    ['{"name":"a","hardwareId":"b","name":"c"}', '/name'],
    ['{"name":"a","hardwareId":"b","\\u006eame":"c"}', '/name'],
    ['{"name":"a","hardwareId":"b","x":[{"y":1,"y":1}]}', '/x/0/y'],
  ])('has each member once: %s', async (body, pointer) => {
    expect(errorsOf(await send('POST', '/devices', body))).toEqual([
      { detail: `\`${pointer.split('/').at(-1) ?? ''}\` stands more than once in its object`, pointer },
    ]);
  });

  it('has no member with a name that objects inherit', async () => {
    const inherited = Object.getOwnPropertyNames(Object.prototype).filter((name) => name !== '__proto__');
    for (const name of [...inherited, 'prototype']) {
      const extra = `"${name}":1`;
      for (const [method, path, body, at] of [
        ['POST', '/devices', `{"name":"a","hardwareId":"${randomUUID()}",${extra}}`, ''],
        ['PATCH', '/users/me/preferences', `{${extra}}`, ''],
        ['POST', `/devices/${deviceId}/commands`, `{"name":"lock_door","payload":{${extra}}}`, '/payload'],
      ] as const) {
        expect(errorsOf(await send(method, path, body))).toEqual([
          { detail: `\`${at.slice(1)}${at && '.'}${name}\` is not known here`, pointer: `${at}/${name}` },
        ]);
      }
      expect(errorsOf(await send('GET', `/devices?${name}=1`))).toEqual([
        { detail: `\`${name}\` is not known here`, pointer: `/${name}` },
      ]);
    }
  });
});

describe('A file of accounts', () => {
  const run = async (file: string | Buffer): Promise<Imported> => {
    const answer = await send('POST', '/users/import', file, { 'content-type': 'text/csv' });
    expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
    return JSON.parse(answer.text) as Imported;
  };

  it.each<[string, (text: string) => string | Buffer]>([
    ['commas', (text) => text],
    ['sep=;', (text) => `sep=;\r\n${text.replaceAll(',', ';')}`],
    ['semicolons and CR alone', (text) => text.replaceAll(',', ';').replaceAll('\r\n', '\r')],
    ['tabs in UTF-16', (text) => Buffer.from(`\uFEFF${text.replaceAll(',', '\t')}`, 'utf16le')],
    ['big-endian UTF-16', (text) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()],
    ['spaces that do not break', (text) => text.replaceAll(',', '\u00a0,\u00a0')],
    ['rows of separators alone', (text) => `${text},,,\r\n,,,\r\n`],
    ['rows of other separators in front', (text) => `,,,\r\n${text.replaceAll(',', ';')},,\r\n`],
  ])('is read with %s', async (_name, spell) => {
    const email = uniqueEmail('import');
    const { done, lines } = await run(spell(`email,displayName,role\r\n${email},Z\u00fcrich\r\n`));
    expect([done, lines]).toEqual([1, [expect.objectContaining({ errors: [] })]]);
    const rows = await application.rows('SELECT display_name FROM users WHERE email = $1', [email]);
    expect(rows).toEqual([{ display_name: 'Z\u00fcrich' }]);
  });

  it('is refused row by row, with the line and the reason', async () => {
    const file = `email,role\n${uniqueEmail('a')}\n${uniqueEmail('b')},USER,x\na\u200bb@example.com\n`;
    const { done, lines } = await run(file);
    expect([done, lines.map(({ line, errors }) => [line, errors.map(({ detail }) => detail)])]).toEqual([
      1,
      [
        [2, []],
        [3, ['has a value in column 3, which has no name']],
        [4, ['`email` must not contain invisible characters']],
      ],
    ]);
  });

  it('is refused as a whole when a column stands twice, is unknown, or the text is no text', async () => {
    const csv = { 'content-type': 'text/csv' };
    for (const header of ['email,Email', 'email,password', 'role']) {
      expectProblem(await send('POST', '/users/import', `${header}\na@example.com,b\n`, csv), 422);
    }
    for (const bytes of [Buffer.from('email\na@example.com\n', 'utf16le'), Buffer.from([0xff, 0xfe, 0x00, 0xd8])]) {
      expectProblem(await send('POST', '/users/import', bytes, csv), 400);
    }
  });
});

describe('P-32: an export', () => {
  it('holds no formula for a spreadsheet of any region', async () => {
    const part = fc.constantFrom(
      '=1+1',
      '+1',
      '-1',
      '@SUM(A1)',
      '\uff1d1',
      ';',
      '"',
      ' ',
      '\u00a0',
      '\u200b',
      'a',
      "'",
      ',',
    );
    const names = fc.sample(
      fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => `${parts.join('')}x`),
      { numRuns: 500, seed: SEED },
    );
    const users = names.map((displayName) => ({ email: uniqueEmail('f'), displayName }));
    expect((await send('POST', '/users/bulk', JSON.stringify({ users, mode: 'all' }))).status).toBe(200);
    const { text } = await send('GET', '/users/export?format=csv');
    expect(parseCsv(text).length).toBeGreaterThan(names.length);
    // A reader that separates by another character takes our quotes within a line for letters.
    const cells = [';', '\t'].flatMap((separator) => text.split(new RegExp(`[${separator}\r\n]`)));
    const formulas = [...cells, ...parseCsv(text).flatMap((record) => record.cells)].filter((cell) =>
      /^[\s\p{Cf}"]*[=+\-@\uff1d]/u.test(cell),
    );
    expect(formulas).toEqual([]);
    recordFigure({
      promise: 'P-32',
      shown: 'Accounts with generated names, exported, and read with commas, semicolons and tabs.',
      n: names.length,
      figure: `${String(formulas.length)} formulas`,
      seed: SEED,
    });
  });
});
