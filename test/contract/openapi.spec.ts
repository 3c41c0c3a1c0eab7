/** The document of the application as it was built, and the client that is made from it. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { ROOT } from '../../tools/stack/paths.js';
import { compile } from '../../tools/sdk/generate.js';
import { TestApp } from '../support/test-app.js';
import { createAccount } from '../support/accounts.fixture.js';

const run = promisify(execFile);
/** Inside of the clone, so that the client finds its one dependency. */
const DIRECTORY = join(ROOT, '.mortise', `sdk-${String(process.pid)}`);

interface Schema {
  readonly type?: string;
  readonly enum?: unknown[];
  readonly example?: unknown;
  readonly $ref?: string;
  readonly allOf?: unknown[];
  readonly oneOf?: unknown[];
  readonly items?: Schema;
  readonly properties?: Record<string, Schema>;
}
interface Operation {
  readonly summary?: string;
  readonly security?: unknown[];
  readonly requestBody?: { content: Record<string, { schema: Schema }> };
  readonly responses: Record<string, { content?: Record<string, { schema?: Schema }> }>;
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { schemas: Record<string, Schema> };
}

let source: string;
let document: Document;
let operations: (readonly [name: string, path: string, operation: Operation])[];

beforeAll(async () => {
  await mkdir(DIRECTORY, { recursive: true });
  await run(process.execPath, [join(ROOT, 'dist', 'tools', 'sdk', 'main.js'), DIRECTORY], { timeout: 90_000 });
  source = await readFile(join(DIRECTORY, 'openapi.json'), 'utf8');
  document = JSON.parse(source) as Document;
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => [`${method} ${path}`, path, operation] as const),
  );
}, 120_000);

afterAll(() => rm(DIRECTORY, { recursive: true, force: true }));

/** Named by those it is true of, so that a failure says where. */
const those = (isWrong: (operation: Operation, path: string) => boolean): string[] =>
  operations.filter(([, path, operation]) => isWrong(operation, path)).map(([name]) => name);

describe('The OpenAPI document', () => {
  it('has no faults in the eyes of an independent linter, under its strictest rules', async () => {
    const config = await createConfig({
      extends: ['recommended-strict'],
      // Probes take nothing and refuse nothing; every other operation is held to this below.
      rules: { 'operation-4xx-response': 'off' },
    });
    const problems = await lintFromString({ source, absoluteRef: join(DIRECTORY, 'openapi.json'), config });
    expect(
      problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer ?? ''}`),
    ).toEqual([]);
  });

  it('says of every route what it does, what it answers, and how it refuses', () => {
    expect(operations.length).toBeGreaterThan(30);
    expect(those(({ summary }) => !summary)).toEqual([]);
    expect(those(({ responses }) => !Object.keys(responses).some((status) => status.startsWith('2')))).toEqual([]);
    expect(those(({ responses }, path) => !path.startsWith('/api/health') && !('429' in responses))).toEqual([]);
    expect(those(({ requestBody, responses }) => requestBody !== undefined && !('400' in responses))).toEqual([]);
    expect(those(({ security, responses }) => (security ?? []).length > 0 && !('401' in responses))).toEqual([]);
    expect(
      those(
        ({ responses }, path) =>
          /\{(device|organization)Id\}/.test(path) && !('404' in responses && '403' in responses),
      ),
    ).toEqual([]);
  });

  it('describes every body and every problem by a schema', () => {
    const isVague = (schema: Schema | undefined): boolean =>
      schema === undefined || (schema.type === 'object' && schema.properties === undefined);
    const contents = ([status, { content }]: [string, Operation['responses'][string]]): boolean => {
      const media = Object.entries(content ?? {});
      return Number(status) >= 400
        ? !media.some(([type]) => type === 'application/problem+json') && status !== '503'
        : media.some(([type, { schema }]) => type === 'application/json' && isVague(schema));
    };
    expect(those(({ responses }) => Object.entries(responses).some(contents))).toEqual([]);
    expect(
      those(({ requestBody }) => Object.values(requestBody?.content ?? {}).some(({ schema }) => isVague(schema))),
    ).toEqual([]);
    // 204 and 202 have nothing to say; everything else has.
    expect(those(({ responses }) => '200' in responses && responses['200'].content === undefined)).toEqual([]);
  });

  it('gives an example of every text and number', () => {
    const plain = ['string', 'number', 'integer'];
    const without = Object.entries(document.components.schemas).flatMap(([name, { properties = {} }]) =>
      Object.entries(properties)
        .filter(([, schema]) => plain.includes(schema.type ?? '') && schema.example === undefined && !schema.enum)
        .map(([property]) => `${name}.${property}`),
    );
    expect(without).toEqual([]);
  });
});

describe('The client made from it', () => {
  let application: TestApp;

  beforeAll(async () => {
    application = await TestApp.start({ env: { ROLES: 'api' } });
  }, 60_000);

  afterAll(() => application.stop());

  it('signs in, reads the account, and gets a typed problem', async () => {
    const person = await createAccount(application.url);
    const consumer = join(DIRECTORY, 'src', 'consumer.ts');
    await writeFile(consumer, CONSUMER);
    compile([consumer], join(DIRECTORY, 'dist'));
    const { stdout } = await run(process.execPath, [join(DIRECTORY, 'dist', 'consumer.js')], {
      env: { BASE_URL: application.url, IDENTIFIER: person.email, PASSWORD: person.password },
      timeout: 20_000,
    });
    expect(JSON.parse(stdout)).toEqual({ me: person.id, email: person.email, devices: [], refused: 'not_found' });
  }, 60_000);

  it('does not compile where it is used against the document', async () => {
    const consumer = join(DIRECTORY, 'src', 'mistake.ts');
    await writeFile(consumer, MISTAKE);
    expect(() => {
      compile([consumer], join(DIRECTORY, 'dist'));
    }).toThrow(/identifier/);
  }, 60_000);
});

const CONSUMER = `
import { createMortise } from './client.js';

const { BASE_URL = '', IDENTIFIER = '', PASSWORD = '' } = process.env;
let token: string | undefined;
const mortise = createMortise(BASE_URL, () => token);

const { data: signedIn } = await mortise.POST('/api/v1/auth/login', { body: { identifier: IDENTIFIER, password: PASSWORD } });
token = signedIn?.accessToken;
const { data: me } = await mortise.GET('/api/v1/users/me');
const { data: devices } = await mortise.GET('/api/v1/devices');
const { error } = await mortise.GET('/api/v1/devices/{deviceId}', {
  params: { path: { deviceId: '00000000-0000-7000-8000-000000000000' } },
});
process.stdout.write(JSON.stringify({ me: me?.id, email: me?.email, devices: devices?.items, refused: error?.code }));
`;

const MISTAKE = `
import { createMortise } from './client.js';

await createMortise('').POST('/api/v1/auth/login', { body: { password: 'but who?' } });
`;
