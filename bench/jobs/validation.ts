import { randomUUID } from 'node:crypto';
import type { INestApplication, Type } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { ModulesContainer } from '@nestjs/core';
import { apiDocument } from '../../src/apps/api-document.js';
import { validated } from '../../src/platform/http/validation/validation.js';
import { readFromApplication } from '../../tools/built-application.js';
import { Failure } from '../../tools/stack/failure.js';
import { percentile, spreadOf } from '../support/statistics.js';

const WARM_UP = 20;
const ROUNDS = 200;
const BOUND_MS = 5;
const FREE_FROM = 64;
/** Members that have to fit the largest alternative of another one. */
const FITTING: Readonly<Record<string, object>> = { Commands_send: { name: 'firmware_update' } };
/** As many as the routes in bulk take. */
const ITEMS = 1_000;

interface Schema {
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly type?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly example?: unknown;
  readonly maxLength?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}
interface Operation {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}
interface Route {
  readonly name: string;
  readonly type: Type<object>;
  readonly body: object;
}

/** What the validation of a body costs: of each route the largest that it takes, by its documentation. */
export async function validation(): Promise<void> {
  const routes = await readFromApplication((app) => routesOf(app));
  const slow: string[] = [];
  process.stdout.write(
    `\nValidation of the largest body of ${String(routes.length)} routes, ms, n ${String(ROUNDS)}\n`,
  );
  for (const { name, type, body } of routes) {
    const times = await timesOf(type, body);
    const { median, max } = spreadOf(times);
    const bytes = JSON.stringify(body).length;
    const figures = [median, percentile(times, 99), max].map((each) => each.toFixed(3)).join(' / ');
    process.stdout.write(`  ${name} (${String(bytes)} bytes): p50 / p99 / max ${figures}\n`);
    if (median > BOUND_MS) {
      slow.push(name);
    }
  }
  if (slow.length > 0) {
    throw new Failure(`The median is above ${String(BOUND_MS)} ms: ${slow.join(', ')}.`);
  }
}

async function timesOf(type: Type<object>, body: object): Promise<number[]> {
  const times: number[] = [];
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    const sent = structuredClone(body);
    const startedAt = performance.now();
    await validated(type, sent);
    if (round >= 0) {
      times.push(performance.now() - startedAt);
    }
  }
  return times;
}

function routesOf(app: INestApplication): Route[] {
  const document = apiDocument(app) as unknown as Document;
  const types = bodyTypes(app);
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, { operationId, requestBody }]) => {
      const schema = requestBody?.content['application/json']?.schema;
      const type = types.get(operationId);
      return schema && type
        ? [
            {
              name: `${method.toUpperCase()} ${path}`,
              type,
              body: { ...(largest(document, schema) as object), ...FITTING[operationId] },
            },
          ]
        : [];
    }),
  );
}

/** The class of the body of each handler, by the id of its operation. */
function bodyTypes(app: INestApplication): Map<string, Type<object>> {
  const controllers = [...app.get(ModulesContainer).values()].flatMap((module) => [...module.controllers.values()]);
  const types = new Map<string, Type<object>>();
  for (const { metatype } of controllers) {
    const { name } = metatype as Type;
    const prototype = (metatype as Type).prototype as object;
    for (const method of Object.getOwnPropertyNames(prototype)) {
      const parameters = Object.keys(
        (Reflect.getMetadata(ROUTE_ARGS_METADATA, metatype as Type, method) ?? {}) as object,
      );
      const body = parameters.find((each) => each.startsWith(`${String(RouteParamtypes.BODY)}:`));
      const declared = Reflect.getMetadata('design:paramtypes', prototype, method) as Type<object>[] | undefined;
      const type = body === undefined ? undefined : declared?.[Number(body.split(':')[1])];
      if (type && (type as unknown) !== Object) {
        types.set(`${name.replace(/Controller$/, '')}_${method}`, type);
      }
    }
  }
  return types;
}

/** A body that is as long as its documentation allows: its examples, filled up. */
function largest(document: Document, schema: Schema): unknown {
  const named = document.components.schemas[schema.$ref?.split('/').at(-1) ?? ''];
  const other = named ?? schema.anyOf?.at(-1);
  if (other) {
    return largest(document, other);
  }
  if (schema.properties) {
    return Object.fromEntries(Object.entries(schema.properties).map(([name, each]) => [name, largest(document, each)]));
  }
  const { type, items = {} } = schema;
  return type === 'array' && !items.enum
    ? Array.from({ length: ITEMS }, (_, index) => numbered(largest(document, items), index))
    : longest(schema);
}

function longest({ example, maxLength = 0, format, pattern, enum: [first] = [] }: Schema): unknown {
  // Short texts have a form, such as that of a language tag.
  const isFree = maxLength >= FREE_FROM && format === undefined && pattern === undefined && first === undefined;
  return isFree && typeof example === 'string' ? example.padEnd(maxLength, 'x') : (example ?? first);
}

/** Ids and addresses in a list differ. */
function numbered(item: unknown, index: number): unknown {
  if (typeof item === 'object' && item !== null && 'email' in item) {
    return { ...item, email: `${String(index)}.${String(item.email)}`, username: `user-${String(index)}` };
  }
  return typeof item === 'object' ? item : randomUUID();
}
