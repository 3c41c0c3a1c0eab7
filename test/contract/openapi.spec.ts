/** The OpenAPI document of the application as it was built. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import {
  type DocumentOperation,
  type DocumentSchema,
  builtDocuments,
  type BuiltDocuments,
} from '../support/built-document.js';

let source: string;
let document: BuiltDocuments['document'];
let operations: (readonly [name: string, path: string, operation: DocumentOperation])[];

beforeAll(async () => {
  ({ source, document } = await builtDocuments());
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => [`${method} ${path}`, path, operation] as const),
  );
}, 120_000);

/** Named by those it is true of, so that a failure says where. */
const those = (isWrong: (operation: DocumentOperation, path: string) => boolean): string[] =>
  operations.filter(([, path, operation]) => isWrong(operation, path)).map(([name]) => name);

describe('The OpenAPI document', () => {
  it('requires no member of a request that has a default', () => {
    const bodies = Object.entries(document.components.schemas).filter(([name]) =>
      Object.values(document.paths).some((path) =>
        Object.values(path).some(({ requestBody }) => JSON.stringify(requestBody ?? {}).includes(`schemas/${name}"`)),
      ),
    );
    const asks = bodies.flatMap(([name, { properties = {}, required = [] }]) =>
      required.filter((member) => properties[member]?.default !== undefined).map((member) => `${name}.${member}`),
    );
    expect(asks).toEqual([]);
    expect(bodies.flatMap(([, { required = [] }]) => required)).not.toContain('overlapSeconds');
  });

  it('says of no change that leaving a member out does what null does', () => {
    const changes = Object.entries(document.components.schemas).filter(([name]) => name.startsWith('Update'));
    expect(changes.length).toBeGreaterThan(3);
    const wrong = changes.filter(([, { properties = {} }]) => JSON.stringify(properties).includes('as when left out'));
    expect(wrong.map(([name]) => name)).toEqual([]);
  });

  it('has no faults in the eyes of an independent linter, under its strictest rules', async () => {
    const config = await createConfig({
      extends: ['recommended-strict'],
      // Probes take nothing and refuse nothing; every other operation is held to this below.
      rules: { 'operation-4xx-response': 'off' },
    });
    const problems = await lintFromString({ source, absoluteRef: 'openapi.json', config });
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
        ({ responses, security }, path) =>
          /\{(device|organization)Id\}/.test(path) &&
          // To a device, its own is the only one.
          !security?.some((scheme) => 'deviceToken' in scheme) &&
          !('404' in responses && '403' in responses),
      ),
    ).toEqual([]);
  });

  it('says of every refusal which headers tell when and with what to come back', () => {
    const due = {
      401: ['WWW-Authenticate'],
      429: ['Retry-After', 'RateLimit', 'RateLimit-Policy'],
      503: ['Retry-After'],
    };
    const probes = ['/api/health', '/api/health/live', '/api/health/ready'];
    const lacking = operations.flatMap(([name, path, { responses }]) =>
      Object.entries(due)
        // Probes answer a report, not a problem.
        .filter(([status]) => responses[status] && !(status === '503' && probes.includes(path)))
        .filter(([status, headers]) =>
          headers.some((each) => !Object.keys(responses[status]?.headers ?? {}).includes(each)),
        )
        .map(([status]) => `${name} ${status}`),
    );
    expect(lacking).toEqual([]);
  });

  it('describes every body and every problem by a schema', () => {
    const isVague = (schema: DocumentSchema | undefined): boolean =>
      schema === undefined || (schema.type === 'object' && schema.properties === undefined);
    const contents = ([status, { content }]: [string, DocumentOperation['responses'][string]]): boolean => {
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

  it('shows CSV as text, with the names of its columns', () => {
    const files = operations.flatMap(([, , { requestBody }]) => requestBody?.content['text/csv'] ?? []);
    expect(files).toHaveLength(2);
    expect(
      files.filter(({ schema, example }) => schema.type !== 'string' || !/^[\w.,]+\n/.test(String(example))),
    ).toEqual([]);
    expect(source).not.toContain('x-csv-example');
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
