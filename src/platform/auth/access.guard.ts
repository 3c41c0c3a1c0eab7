import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import {
  type Demand,
  isRoleDemand,
  type ResourceDemand,
  type ResourceKind,
  type RoleDemand,
} from '../../contracts/resources.js';
import { AuditFailureWriter } from '../audit/audit-failure-writer.js';
import { AuditRegistry } from '../audit/audit-registry.js';
import { intentOf } from '../audit/audit.decorator.js';
import { DomainError } from '../../shared/domain-error.js';
import { isUuid } from '../../shared/ids.js';
import { requestContext } from '../context/request-context.js';
import { IdempotencyInterceptor } from '../idempotency/idempotency.interceptor.js';
import { ForbiddenError, ResourceNotFoundError, UnauthenticatedError } from './auth.errors.js';
import { ACCESS_RULE, type AccessRule } from './authorize.decorator.js';
import { Authenticator } from './authenticator.js';
import { bearerTokenOf } from './bearer-token.js';
import type { PlatformRole, Principal } from './principal.js';
import { ResourceResolverRegistry } from './resource-resolver-registry.js';
import { TicketAuthenticator } from './tickets/ticket-authenticator.js';
import { ticketOf } from './tickets/ticket.decorator.js';

/** What changes nothing: who was signed out reads for some seconds more. */
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD']);

const MEETS: Readonly<Record<RoleDemand, readonly PlatformRole[]>> = { admin: ['ADMIN'], maker: ['MAKER', 'ADMIN'] };

type PrivateRule = Extract<AccessRule, { public: false }> & { readonly demand: Demand | null };

/** Authenticates and authorizes every HTTP request. A route without a rule is refused (and does not pass boot). */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
    private readonly resolvers: ResourceResolverRegistry,
    private readonly audited: AuditRegistry,
    private readonly failures: AuditFailureWriter,
    private readonly repeats: IdempotencyInterceptor,
    private readonly tickets: TicketAuthenticator,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    // MQTT and sockets authenticate the connection, not the message.
    if (context.getType() !== 'http') {
      return true;
    }
    const rule = this.reflector.getAllAndOverride<AccessRule | undefined>(ACCESS_RULE, [
      context.getHandler(),
      context.getClass(),
    ]);
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (rule?.public) {
      await this.recognize(request);
      return true;
    }
    if (rule?.demand === 'uplink') {
      assertProven(request);
      return true;
    }
    return this.admitPerson(context, request, rule as PrivateRule | undefined);
  }

  private async admitPerson(
    context: ExecutionContext,
    request: FastifyRequest,
    rule: PrivateRule | undefined,
  ): Promise<true> {
    const principal = await this.identify(request);
    request.principal = principal;
    const current = requestContext();
    if (current) {
      current.actor = `user:${principal.userId}`;
      current.sessionId = principal.sessionId;
    }
    // A repeat of a request that was done changes nothing: its answer needs no permission, which may be gone by now.
    if (await this.repeats.answersAgain(context)) {
      return true;
    }
    try {
      await this.authorize(request, principal, rule);
    } catch (error) {
      await this.afterRefusal(context, principal, error);
    }
    return true;
  }

  private async identify(request: FastifyRequest): Promise<Principal> {
    const ticket = ticketOf(request);
    if (ticket === undefined) {
      return this.authenticator.authenticate(bearerToken(request), { certain: needsCertainty(request) });
    }
    const holder = await this.tickets.redeem(ticket);
    request.ticketHolder = holder;
    return holder.principal;
  }

  /** @throws the refusal, unless the request repeats one that was done and took the permission since its key was looked up. */
  private async afterRefusal(context: ExecutionContext, { userId }: Principal, error: unknown): Promise<void> {
    if (!(error instanceof DomainError)) {
      throw error;
    }
    if (await this.repeats.answersAgain(context)) {
      return;
    }
    const intent = intentOf(this.reflector, this.audited, context);
    if (intent) {
      await this.failures.recordRefusal(userId, intent, error);
    }
    throw error;
  }

  /** A public route needs no token: one that is not valid, or cannot be verified now, counts as none. */
  private async recognize(request: FastifyRequest): Promise<void> {
    const token = request.settledAsAnonymous ? null : bearerTokenOf(request.headers.authorization);
    const bearer = token === null ? null : await this.authenticator.authenticate(token).catch(() => null);
    if (bearer) {
      request.bearerId = bearer.userId;
    }
  }

  private async authorize(request: FastifyRequest, { role }: Principal, rule: PrivateRule | undefined): Promise<void> {
    if (!rule) {
      throw new ForbiddenError('rule:none');
    }
    if (rule.demand && isRoleDemand(rule.demand)) {
      if (!MEETS[rule.demand].includes(role)) {
        throw new ForbiddenError(rule.demand);
      }
    } else if (rule.demand) {
      await this.resolveTarget(request, rule.demand);
    }
  }

  private async resolveTarget(request: FastifyRequest, demand: ResourceDemand): Promise<void> {
    const [kind, permission] = partsOf(demand);
    const id = (request.params as Record<string, string | undefined>)[`${kind}Id`];
    const resolver = this.resolvers.for(kind);
    const principal = request.principal;
    const ref = principal && isUuid(id) ? await resolver.resolve(id, principal) : null;
    if (!ref) {
      throw new ResourceNotFoundError(kind, { isId: isUuid(id) });
    }
    if (!resolver.allows(ref, permission)) {
      throw new ForbiddenError(demand);
    }
    request.target = ref;
  }
}

/**
 * A change needs a session that stands now, not one that stood seconds ago (promise P-06): it opens a door, or lets others open
 * one, and it takes a transaction anyway. So does an answer that holds a secret.
 */
function needsCertainty({ method, routeOptions }: FastifyRequest): boolean {
  return !READING.has(method) || routeOptions.config.answersSecret === true;
}

/** Its token was judged before its body was read. */
function assertProven({ uplink }: FastifyRequest): void {
  if (!uplink) {
    throw new UnauthenticatedError();
  }
}

function partsOf(demand: ResourceDemand): [kind: ResourceKind, permission: never] {
  return demand.split(':') as [ResourceKind, never];
}

function bearerToken(request: FastifyRequest): string {
  const { authorization } = request.headers;
  const token = bearerTokenOf(authorization);
  if (token === null) {
    throw new UnauthenticatedError(authorization === undefined ? 'none' : 'other');
  }
  return token;
}
