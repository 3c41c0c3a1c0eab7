import type { OpenAPIObject } from '@nestjs/swagger';
import { convertV2 } from 'openapi-to-postmanv2';
import { Failure } from '../stack/failure.js';

/** A collection of Postman (v2.1), as far as it is changed here. */
export interface PostmanCollection {
  readonly info: { readonly name: string; readonly schema: string };
  readonly item: readonly PostmanItem[];
  readonly [member: string]: unknown;
}
export interface PostmanItem {
  readonly name: string;
  /** Of a folder. */
  readonly item?: readonly PostmanItem[];
  /** Of a request. */
  readonly request?: PostmanRequest;
  readonly response?: readonly { readonly code: number }[];
  readonly [member: string]: unknown;
}
interface PostmanRequest {
  readonly method: string;
  readonly auth: unknown;
  readonly header: readonly Parameter[];
  readonly url: {
    readonly path: readonly string[];
    readonly query: readonly Parameter[];
    readonly variable: readonly Parameter[];
  };
}
interface Parameter {
  readonly key: string;
  readonly value: string;
  readonly disabled?: boolean;
}

const OPTIONS = {
  folderStrategy: 'Tags',
  requestParametersResolution: 'Example',
};
/** Set by a login; all else is set by hand, or by an environment. */
const VARIABLES = {
  baseUrl: 'http://127.0.0.1:3000',
  identifier: 'demo@mortise.example',
  password: 'knock-three-times-please',
  accessToken: '',
  refreshToken: '',
};
const LOGIN = '/api/v1/auth/login';
const REFRESH = '/api/v1/auth/refresh';
const BODIES: Readonly<Record<string, object>> = {
  [LOGIN]: { identifier: '{{identifier}}', password: '{{password}}' },
  [REFRESH]: { refreshToken: '{{refreshToken}}' },
};
/** A login, or a refresh, is what every other request takes its token from. */
const KEEP_TOKENS = [
  'const { accessToken, refreshToken } = pm.response.json();',
  "pm.collectionVariables.set('accessToken', accessToken);",
  "pm.collectionVariables.set('refreshToken', refreshToken);",
];

/** A collection with a folder for each tag, from the OpenAPI document. Its login is the one of the demo. */
export async function postmanCollection(document: OpenAPIObject): Promise<PostmanCollection> {
  const collection = await convert(document);
  return {
    info: { ...collection.info, name: 'Mortise' },
    auth: { type: 'bearer', bearer: [{ key: 'token', value: '{{accessToken}}', type: 'string' }] },
    variable: Object.entries({ ...VARIABLES, ...pathVariables(document) }).map(([key, value]) => ({ key, value })),
    item: collection.item.map((each) => completed(each, document)),
  };
}

function convert(document: OpenAPIObject): Promise<PostmanCollection> {
  return new Promise((resolve, reject) => {
    // It changes what it is given.
    convertV2({ type: 'json', data: structuredClone(document) }, OPTIONS, (error, { result, reason, output }) => {
      const collection = output?.[0]?.data;
      if (error || !result || !collection) {
        reject(error ?? new Failure(`The collection could not be made: ${reason ?? 'no reason given'}`));
      } else {
        // Its objects belong to the library: what is written is their JSON.
        resolve(JSON.parse(JSON.stringify(collection)) as PostmanCollection);
      }
    });
  });
}

/** A variable of the collection for each parameter of a path, with its example where it is the same in every installation. */
function pathVariables({ paths }: OpenAPIObject): Record<string, string> {
  const parameters = Object.values(paths)
    .flatMap((item) => Object.values(item as Record<string, { readonly parameters?: readonly PathParameter[] }>))
    .flatMap((operation) => operation.parameters ?? [])
    .filter((parameter) => parameter.in === 'path');
  return Object.fromEntries(
    parameters.map(({ name, schema }) => [name, schema?.format === 'uuid' ? '' : (schema?.example ?? '')]),
  );
}

interface PathParameter {
  readonly name: string;
  readonly in: string;
  readonly schema?: { readonly format?: string; readonly example?: string };
}

/** Without the random id that the library gives, so that what is made again is the same. */
function completed({ item, request, response = [], ...rest }: PostmanItem, document: OpenAPIObject): PostmanItem {
  return {
    ...rest,
    id: undefined,
    ...(item ? { item: item.map((each) => completed(each, document)) } : {}),
    ...(request ? completedRequest(request, response, document) : {}),
  };
}

function completedRequest(
  request: PostmanRequest,
  responses: readonly { readonly code: number }[],
  document: OpenAPIObject,
): Pick<PostmanItem, 'request' | 'event'> {
  const path = `/${request.url.path.join('/')}`;
  const body = BODIES[path];
  const { auth, url, header } = request;
  const optional = optionalParameters(request, document);
  const successes = responses.map(({ code }) => code).filter((code) => code < 300);
  const script = [
    `pm.test('answers as documented', () => pm.expect(pm.response.code).to.be.oneOf([${successes.join(', ')}]));`,
    ...(body ? KEEP_TOKENS : []),
  ];
  return {
    request: {
      ...request,
      // Null: it needs no token. What is left out comes from the collection.
      ...(auth === null ? { auth: { type: 'noauth' } } : { auth: undefined }),
      header: header.map((each) => withDefault(each, optional)),
      url: {
        ...url,
        query: url.query.map((each) => withDefault(each, optional)),
        variable: url.variable.map((each) => ({ ...each, value: `{{${each.key}}}` })),
      },
      ...(body ? { body: { mode: 'raw', raw: JSON.stringify(body, null, 2), options: JSON_BODY } } : {}),
    },
    event: [{ listen: 'test', script: { type: 'text/javascript', exec: script } }],
  };
}

const JSON_BODY = { raw: { language: 'json' } };

/** What may be left out is left out until it is ticked. A key is good for one request: Postman makes a new one each time. */
function withDefault(parameter: Parameter, optional: ReadonlySet<string>): Parameter {
  return parameter.key.toLowerCase() === 'idempotency-key'
    ? { ...parameter, value: '{{$guid}}', disabled: false }
    : { ...parameter, disabled: optional.has(parameter.key.toLowerCase()) };
}

function optionalParameters({ method, url }: PostmanRequest, { paths }: OpenAPIObject): ReadonlySet<string> {
  const path = `/${url.path.join('/')}`.replaceAll(/:(\w+)/g, '{$1}');
  const operation = paths[path]?.[method.toLowerCase() as 'get'];
  const optional = (operation?.parameters ?? []).flatMap((each) =>
    'name' in each && each.required !== true ? [each.name.toLowerCase()] : [],
  );
  return new Set(optional);
}
