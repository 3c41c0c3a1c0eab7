import type { ExecutionContext, Type } from '@nestjs/common';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { FastifyRequest } from 'fastify';
import { argumentClass } from '../request-as-read.js';
import { InvalidRequestError, validated } from './validation.js';

/** Whether the pipe will let the body of this request through to its handler. */
export async function isBodyWellFormed(context: ExecutionContext): Promise<boolean> {
  const type = argumentClass(context, RouteParamtypes.BODY);
  if (typeof type !== 'function') {
    return true;
  }
  try {
    await validated(type as Type<object>, context.switchToHttp().getRequest<FastifyRequest>().body);
    return true;
  } catch (error) {
    if (error instanceof InvalidRequestError) {
      return false;
    }
    throw error;
  }
}
