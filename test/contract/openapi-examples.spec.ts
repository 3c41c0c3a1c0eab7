/** What Swagger UI shows is true: every example has the shape of its schema, and none stands in the way of trying it out. */
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { TAGS } from '../../src/apps/api-document-guide.js';
import { builtDocument } from '../support/built-document.js';

interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly example?: unknown;
  readonly enum?: readonly unknown[];
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}
interface Content {
  readonly schema?: Schema;
  readonly examples?: Readonly<Record<string, { readonly value: Readonly<Record<string, unknown>> }>>;
}
interface Operation {
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly {
    name: string;
    in: string;
    description?: string;
    example?: unknown;
    schema: Schema;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<Record<string, { description: string; content?: Readonly<Record<string, Content>> }>>;
}
interface Document {
  readonly info: { readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

let document: Document;
let operations: (readonly [name: string, path: string, operation: Operation])[];
let schemas: (readonly [name: string, schema: Schema])[];
let ajv: Ajv;
/** By the text of the schema: most refusals are of the same. */
const compiled = new Map<string, ValidateFunction>();

beforeAll(async () => {
  document = await builtDocument<Document>();
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => [`${method} ${path}`, path, operation] as const),
  );
  schemas = Object.entries(document.components.schemas);
  ajv = new Ajv({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema(document, 'document');
}, 60_000);

/** What is wrong with a value that is shown for a schema; empty where nothing is. */
function faults(schema: Schema, value: unknown): string[] {
  const inDocument = JSON.stringify(schema).replaceAll('"#/', '"document#/');
  const validate = compiled.get(inDocument) ?? ajv.compile(JSON.parse(inDocument) as object);
  compiled.set(inDocument, validate);
  return validate(value)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message = '' }) => `${instancePath} ${message}`);
}

/** The example that Swagger UI composes of a schema. */
function composed(schema: Schema): unknown {
  const [other] = schema.allOf ?? schema.anyOf ?? [];
  const referred =
    other ?? (schema.$ref ? document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] : undefined);
  if (schema.example !== undefined || !referred) {
    return schema.example === undefined ? composedOf(schema) : schema.example;
  }
  return composed(referred);
}

function composedOf({ type, items = {}, properties, enum: [first] = [] }: Schema): unknown {
  if (type === 'array') {
    return [composed(items)];
  }
  if (properties || type === 'object') {
    return Object.fromEntries(Object.entries(properties ?? {}).map(([name, property]) => [name, composed(property)]));
  }
  return first ?? (type === 'boolean' ? true : 'no example');
}

describe('Examples', () => {
  it('have the shape of their schemas, by value', () => {
    const wrong = schemas.flatMap(([name, schema]) =>
      faults(schema, composed(schema)).map((fault) => `${name}${fault}`),
    );
    expect(schemas.length).toBeGreaterThan(60);
    expect(wrong).toEqual([]);
  });

  it('of bodies and refusals have the shape of theirs, and refusals their own code, status and path', () => {
    let shown = 0;
    const wrong = operations.flatMap(([name, path, { requestBody, responses }]) => {
      const bodies = Object.entries(responses).map(([status, { content = {} }]) => [status, content] as const);
      return [...bodies, ['body', requestBody?.content ?? {}] as const].flatMap(([place, content]) =>
        Object.values(content).flatMap(({ schema = {}, examples = {} }) =>
          Object.entries(examples).flatMap(([code, { value }]) => {
            shown += 1;
            const isOther =
              place !== 'body' &&
              (value.code !== code ||
                !(place === 'default' || String(value.status) === place) ||
                value.type !== `http://localhost:3000/problems/${code}` ||
                !new RegExp(`^${path.replace(/\{\w+\}/g, '[^/{}]+')}$`).test(String(value.path)));
            return [...faults(schema, value), ...(isOther ? ['is of another refusal'] : [])].map(
              (fault) => `${name} ${place} ${code}: ${fault}`,
            );
          }),
        ),
      );
    });
    expect(shown).toBeGreaterThan(500);
    expect(wrong).toEqual([]);
  });

  it('differ by status and code, so that no refusal is shown with the words of another', () => {
    const details = new Map<string, Set<unknown>>();
    for (const [, , { responses }] of operations) {
      for (const { content = {} } of Object.values(responses)) {
        for (const [code, { value }] of Object.entries(content['application/problem+json']?.examples ?? {})) {
          details.set(code, (details.get(code) ?? new Set()).add(value.detail));
        }
      }
    }
    const told = [...details.values()].flatMap((each) => [...each]);
    expect(details.size).toBeGreaterThan(50);
    expect(new Set(told).size).toBe(told.length);
  });

  it('of headers and queries are told, not filled in: what is tried out would be filtered, or repeat what was done', () => {
    const filledIn = operations.flatMap(([name, , { parameters = [] }]) =>
      parameters
        .filter(({ in: place, example, schema }) => place !== 'path' && (example ?? schema.example) !== undefined)
        .map((parameter) => `${name} ${parameter.name}`),
    );
    expect(filledIn).toEqual([]);
  });

  it('of the login are the account of the demo, as README.md uses it', async () => {
    const login = document.paths['/api/v1/auth/login']?.post?.requestBody?.content['application/json'];
    expect(await readFile('README.md', 'utf8')).toContain(JSON.stringify(login?.examples?.demo?.value));
  });
});

describe('Texts', () => {
  it('begin with a way to the first open door, whose links lead somewhere', () => {
    const links = [...document.info.description.matchAll(/\]\(#\/([^/]+)\/(\w+)\)/g)];
    const known = operations.map(
      ([, , operation]) => `${operation.tags[0] ?? ''}/${(operation as { operationId?: string }).operationId ?? ''}`,
    );
    expect(links.length).toBe(4);
    expect(links.map(([, tag = '', id = '']) => `${tag}/${id}`).filter((link) => !known.includes(link))).toEqual([]);
  });

  it('sort every operation under one tag, in the order of a day of work', () => {
    expect(document.tags.map(({ name }) => name)).toEqual(TAGS.map(([name]) => name));
    expect(document.tags.filter(({ description }) => !/^[A-Z].+\.$/.test(description))).toEqual([]);
    const names = new Set(TAGS.map(([name]) => name));
    const stray = operations.filter(([, , { tags }]) => tags.length !== 1 || !names.has(tags[0] ?? ''));
    expect(stray.map(([name]) => name)).toEqual([]);
    const used = new Set(operations.flatMap(([, , { tags }]) => tags));
    expect([...names].filter((name) => !used.has(name))).toEqual([]);
  });

  it('are Markdown where it is rendered, and plain where it is not', () => {
    const marked = operations.filter(([, , { summary }]) => /[`*\n]/.test(summary)).map(([name]) => name);
    expect(marked).toEqual([]);
    const broken = (text = ''): boolean => /[^\n]\n(?!\n|- )[^\n]/.test(text);
    const texts = [
      ...operations.flatMap(([name, , { description, parameters = [], responses }]) => [
        [name, description] as const,
        ...parameters.map((each) => [`${name} ${each.name}`, each.description] as const),
        ...Object.entries(responses).map(([status, each]) => [`${name} ${status}`, each.description] as const),
      ]),
      ...schemas.flatMap(([name, { description, properties = {} }]) => [
        [name, description] as const,
        ...Object.entries(properties).map(([member, each]) => [`${name}.${member}`, each.description] as const),
      ]),
    ];
    expect(texts.filter(([, text]) => broken(text)).map(([name]) => name)).toEqual([]);
  });

  it('say of every time that it is one', () => {
    const members = schemas.flatMap(([name, { properties = {} }]) =>
      Object.entries(properties).map(([member, schema]) => [`${name}.${member}`, schema] as const),
    );
    const queries = operations.flatMap(([name, , { parameters = [] }]) =>
      parameters.map(
        ({ name: query, description, schema }) => [`${name} ${query}`, { ...schema, description }] as const,
      ),
    );
    const times = [...members, ...queries].filter(
      ([name, { description = '', format }]) =>
        format === 'date-time' || description.includes('RFC 3339') || name.endsWith('At'),
    );
    expect(times.length).toBeGreaterThan(30);
    expect(times.filter(([, { format }]) => format !== 'date-time').map(([name]) => name)).toEqual([]);
  });
});
