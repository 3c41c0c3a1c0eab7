import type { ExecutionContext, Type } from '@nestjs/common';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { FastifyRequest } from 'fastify';
import { argumentClass } from '../request-as-read.js';
import { InvalidRequestError, validated } from './validation.js';

/** What the pipe would refuse the body of this request for; null where it would not. */
export async function faultOfBody(context: ExecutionContext): Promise<InvalidRequestError | null> {
  const type = argumentClass(context, RouteParamtypes.BODY);
  if (typeof type !== 'function') {
    return null;
  }
  // A copy: the framework takes members such as `constructor` out of what it reads.
  const body = structuredClone(context.switchToHttp().getRequest<FastifyRequest>().body);
  try {
    await validated(type as Type<object>, body);
    return null;
  } catch (error) {
    if (error instanceof InvalidRequestError) {
      return error;
    }
    throw error;
  }
}
