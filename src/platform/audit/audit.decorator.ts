import { type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { AuditAction, AuditEntity, AuditIntent } from '../../contracts/audit.js';
import { isUuid } from '../../shared/ids.js';
import { requestContext } from '../context/request-context.js';

export const AUDITED = Symbol('audited');
const TARGET = Symbol('audit target');

/** What the parameters of routes name. */
const ENTITY_OF_PARAMETER = {
  userId: 'user',
  sessionId: 'session',
  organizationId: 'organization',
  invitationId: 'invitation',
  deviceId: 'device',
  commandId: 'command',
  address: 'address',
  kid: 'key',
} as const satisfies Readonly<Record<string, AuditEntity['type']>>;
type Parameter = keyof typeof ENTITY_OF_PARAMETER;

/** An address, a network, or the thumbprint of a key; whatever else was put there is not worth keeping. */
const NAME = /^[\w.:/-]{1,64}$/;

/**
 * This route changes something, or looks into other people's data: no transaction of it commits without an audit entry.
 * @param target the parameter that names what a failure was aimed at; else the last one in the path.
 */
export function Audit(action: AuditAction, target?: Parameter): MethodDecorator {
  return (prototype, name, descriptor) => {
    SetMetadata(AUDITED, action)(prototype, name, descriptor);
    SetMetadata(TARGET, target)(prototype, name, descriptor);
  };
}

/** What the route of this request promises to have audited; null where it promises nothing. */
export function intentOf(reflector: Reflector, execution: ExecutionContext): AuditIntent | null {
  const action = reflector.get<AuditAction | undefined>(AUDITED, execution.getHandler());
  if (!action) {
    return null;
  }
  const parameters = execution.switchToHttp().getRequest<FastifyRequest>().params as Readonly<Record<string, string>>;
  const named = reflector.get<Parameter | undefined>(TARGET, execution.getHandler()) ?? Object.keys(parameters).at(-1);
  const target = isKnown(named) ? entityOf(named, parameters[named]) : null;
  return { action, recorded: false, ...(target ? { target } : {}) };
}

/** Says what the request turned out to be aimed at: for routes that no parameter tells it of. */
export function setAuditTarget(target: AuditEntity): void {
  const intent = requestContext()?.audit;
  if (intent) {
    intent.target = target;
  }
}

function isKnown(parameter: string | undefined): parameter is Parameter {
  return parameter !== undefined && Object.hasOwn(ENTITY_OF_PARAMETER, parameter);
}

function entityOf(parameter: Parameter, value = ''): AuditEntity | null {
  const isGood = parameter.endsWith('Id') ? isUuid(value) : NAME.test(value);
  return isGood ? { type: ENTITY_OF_PARAMETER[parameter], id: value } : null;
}
