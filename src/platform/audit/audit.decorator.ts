import { type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { AuditAction, AuditEntity, AuditIntent, AuditParameter } from '../../contracts/audit.js';
import { requestContext } from '../context/request-context.js';
import type { AuditRegistry } from './audit-registry.js';

export const AUDITED = Symbol('audited');
export const CHANGES_NOTHING = Symbol('changes nothing');
const TARGET = Symbol('audit target');
export const READING = Symbol('audited read');

/**
 * This route changes something, or reads other people's data: no transaction of it commits without an audit entry.
 * @param target the parameter that names what a failure was aimed at; without it, the last one in the path.
 */
export function Audit(action: AuditAction, target?: AuditParameter): MethodDecorator {
  return (prototype, name, descriptor) => {
    SetMetadata(AUDITED, action)(prototype, name, descriptor);
    SetMetadata(TARGET, target)(prototype, name, descriptor);
  };
}

/** This route changes nothing, though its method could: there is nothing to audit. */
export const ChangesNothing = (): MethodDecorator => SetMetadata(CHANGES_NOTHING, true);

/**
 * This route shows what belongs to others. Who reads it leaves an entry, once in a while however often an app asks, and
 * none as the owner of what the route names. What cannot be recorded is not shown.
 * @param target the parameter that names what is read.
 */
export function AuditRead(action: AuditAction, target: AuditParameter): MethodDecorator {
  return (prototype, name, descriptor) => {
    Audit(action, target)(prototype, name, descriptor);
    SetMetadata(READING, true)(prototype, name, descriptor);
  };
}

/** What the route of this request declares to be audited; null where it declares nothing. */
export function intentOf(
  reflector: Reflector,
  registry: AuditRegistry,
  execution: ExecutionContext,
): AuditIntent | null {
  const action = reflector.get<AuditAction | undefined>(AUDITED, execution.getHandler());
  if (!action) {
    return null;
  }
  const parameters = execution.switchToHttp().getRequest<FastifyRequest>().params as Readonly<Record<string, string>>;
  const named = reflector.get<string | undefined>(TARGET, execution.getHandler()) ?? Object.keys(parameters).at(-1);
  const target = named === undefined ? null : registry.entityOf(named, parameters[named]);
  return { action, recorded: false, ...(target ? { target } : {}) };
}

/** Sets what the request turned out to be aimed at, for routes without a parameter that names it. */
export function setAuditTarget(target: AuditEntity): void {
  const intent = requestContext()?.audit;
  if (intent) {
    intent.target = target;
  }
}
