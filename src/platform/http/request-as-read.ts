import type { ExecutionContext } from '@nestjs/common';
import { PARAMTYPES_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { type ClassConstructor, plainToInstance } from 'class-transformer';
import type { FastifyRequest } from 'fastify';
import { tooLongLists } from './validation/list-bounds.js';

/** Parameters, query and body as the classes of the handler read them: every value in its one spelling. Not validated. */
export function requestAsRead(context: ExecutionContext): Record<'params' | 'query' | 'body', unknown> {
  const { params, query, body } = context.switchToHttp().getRequest<FastifyRequest>();
  return {
    params,
    query: read(query, argumentClass(context, RouteParamtypes.QUERY)),
    body: read(body, argumentClass(context, RouteParamtypes.BODY)),
  };
}

function read(value: unknown, type: unknown): unknown {
  const isReadable = typeof value === 'object' && value !== null && typeof type === 'function' && type !== Object;
  // What has a list beyond its bound is refused later, without a look at its items.
  return isReadable && tooLongLists(type as ClassConstructor<object>, value).length === 0
    ? plainToInstance(type as ClassConstructor<object>, value)
    : value;
}

/** The class of the argument of a handler that takes the whole body or query, as the framework keeps it. */
export function argumentClass(context: ExecutionContext, kind: RouteParamtypes): unknown {
  const [controller, { name }] = [context.getClass(), context.getHandler()];
  const places = Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) as
    Record<string, { readonly index: number }> | undefined;
  const [, place] = Object.entries(places ?? {}).find(([key]) => key.startsWith(`${String(kind)}:`)) ?? [];
  const types = Reflect.getMetadata(PARAMTYPES_METADATA, controller.prototype as object, name) as unknown[] | undefined;
  return place && types?.[place.index];
}
