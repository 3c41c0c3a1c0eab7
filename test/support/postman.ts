import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import postman from 'postman-collection';
import { Runner } from 'postman-runtime';
import { jsonSchemaOf } from '../../src/apps/json-schema.js';
import type { PostmanCollection, PostmanItem } from '../../tools/sdk/postman.js';

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Responses } | undefined>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}
type Responses = Readonly<
  Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: object }>> }>
>;

interface Answer {
  readonly name: string;
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/**
 * Runs the login and everything that reads, as Postman does, with its scripts. @returns how many answers came, and what about
 * them is not as the OpenAPI document says, or failed a test of the collection
 */
export async function runCollection(
  directory: string,
  variables: Readonly<Record<string, string>>,
): Promise<{ readonly answers: number; readonly faults: string[] }> {
  const read = async <T>(name: string): Promise<T> => JSON.parse(await readFile(join(directory, name), 'utf8')) as T;
  const collection = await read<PostmanCollection>('postman_collection.json');
  const { answers, faults } = await run({ ...collection, item: reading(collection.item) }, variables);
  const responses = responsesByName(collection.item, await read<Document>('openapi.json'));
  const isValid = validatorOf(await read<Document>('openapi.json'));
  return {
    answers: answers.length,
    faults: [...faults, ...answers.flatMap((answer) => faultsOf(answer, responses.get(answer.name), isValid))],
  };
}

/** What the document says of each request of the collection, by its name. */
function responsesByName(items: readonly PostmanItem[], document: Document): Map<string, Responses> {
  const entries = items.flatMap(({ name, item = [], request }): [string, Responses][] => {
    const path = `/${request?.url.path.join('/') ?? ''}`.replaceAll(/:(\w+)/g, '{$1}');
    const operation = document.paths[path]?.[request?.method.toLowerCase() ?? ''];
    return [
      ...responsesByName(item, document),
      ...(operation ? [[name, operation.responses] as [string, Responses]] : []),
    ];
  });
  return new Map(entries);
}

function reading(items: readonly PostmanItem[]): PostmanItem[] {
  return items
    .map((each) => (each.item ? { ...each, item: reading(each.item) } : each))
    .filter(({ item, request }) =>
      item
        ? item.length > 0
        : // An event stream has no end, and a link to a file is opened as it was given out.
          (request?.method === 'GET' && !['stream', 'file'].includes(request.url.path.at(-1) ?? '')) ||
          request?.url.path.at(-1) === 'login',
    );
}

function run(
  collection: object,
  variables: Readonly<Record<string, string>>,
): Promise<{ answers: Answer[]; faults: string[] }> {
  const values = Object.entries(variables).map(([key, value]) => ({ key, value }));
  const answers: Answer[] = [];
  const faults: string[] = [];
  return new Promise((resolve, reject) => {
    const options = { environment: new postman.VariableScope({ values }) };
    new Runner().run(new postman.Collection(collection), options, (error, runner) => {
      if (error) {
        reject(error);
        return;
      }
      runner.start({
        request(failure, _cursor, response, _request, item) {
          if (failure) {
            faults.push(`${item.name}: ${failure.message}`);
            return;
          }
          answers.push({
            name: item.name,
            status: response.code,
            type: (response.headers.get('content-type') ?? '').split(';')[0] ?? '',
            text: response.text(),
          });
        },
        assertion(_cursor, assertions) {
          faults.push(
            ...assertions.filter(({ error }) => error).map(({ name, error }) => `${name}: ${String(error?.message)}`),
          );
        },
        done(failure) {
          if (failure) {
            reject(failure);
          } else {
            resolve({ answers, faults });
          }
        },
      });
    });
  });
}

type Validator = (schema: object, value: unknown) => string | null;

function validatorOf({ components }: Document): Validator {
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const schemas = Object.fromEntries(
    Object.entries(components.schemas).map(([name, each]) => [name, jsonSchemaOf(each)]),
  );
  ajv.addSchema({ $id: 'document', components: { schemas } });
  return (schema, value) => {
    const isValid = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/')) as object);
    return isValid(value) ? null : ajv.errorsText(isValid.errors);
  };
}

function faultsOf({ name, status, type, text }: Answer, responses: Responses = {}, validate: Validator): string[] {
  const schema = responses[String(status)]?.content?.[type]?.schema;
  if (status >= 300 || !schema) {
    return [`${name} answers ${String(status)} as ${type}: ${text.slice(0, 200)}`];
  }
  const fault = type === 'application/json' ? validate(jsonSchemaOf(schema), JSON.parse(text)) : null;
  return fault === null ? [] : [`${name}: ${fault}`];
}
