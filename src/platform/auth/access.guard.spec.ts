import { beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, type ExecutionContext, Get } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { randomUUID } from 'node:crypto';
import type { DeviceRef } from '../../contracts/resources.js';
import { AuditRegistry } from '../audit/audit-registry.js';
import type { AuditFailureWriter } from '../audit/audit-failure-writer.js';
import type { IdempotencyInterceptor } from '../idempotency/idempotency.interceptor.js';
import { newContext, runInContext } from '../context/request-context.js';
import { AccessGuard } from './access.guard.js';
import { ForbiddenError, ResourceNotFoundError, UnauthenticatedError } from './auth.errors.js';
import type { Authenticator } from './authenticator.js';
import { Authorize, Public } from './authorize.decorator.js';
import type { Principal } from './principal.js';
import { ResourceResolverRegistry } from './resource-resolver-registry.js';
import type { TicketAuthenticator } from './tickets/ticket-authenticator.js';

const ADA: Principal = { userId: randomUUID(), sessionId: randomUUID(), role: 'USER' };
const DEVICE: DeviceRef = {
  id: randomUUID(),
  ownerId: ADA.userId,
  permission: 'view',
  owned: false,
  managed: false,
};

@Controller()
class SampleController {
  @Get('open')
  @Public()
  open(): void {
    return undefined;
  }

  @Get('signed-in')
  @Authorize()
  signedIn(): void {
    return undefined;
  }

  @Get('view')
  @Authorize('device:view')
  view(): void {
    return undefined;
  }

  @Get('control')
  @Authorize('device:control')
  control(): void {
    return undefined;
  }

  @Get('admin')
  @Authorize('admin')
  admin(): void {
    return undefined;
  }

  @Get('forgotten')
  forgotten(): void {
    return undefined;
  }
}

interface SampleRequest {
  method: string;
  routeOptions: { config: { answersSecret?: boolean } };
  settledAsAnonymous?: boolean;
  bearerId?: string;
  headers: { authorization?: string };
  params: Record<string, string>;
  principal?: Principal;
  target?: DeviceRef;
}

let resolvers: ResourceResolverRegistry;
let guard: AccessGuard;
let certainty: boolean[];
/** What the database answers, one time after another, when it is asked whether the request repeats one that was done. */
let repeats: boolean[];

beforeEach(() => {
  certainty = [];
  repeats = [];
  resolvers = new ResourceResolverRegistry();
  resolvers.register('device', {
    resolve: (id, principal) => Promise.resolve(id === DEVICE.id && principal === ADA ? DEVICE : null),
    allows: ({ permission }, demand) => permission === demand,
  });
  const authenticator = {
    authenticate: (token: string, { certain = false }: { certain?: boolean } = {}) => {
      certainty.push(certain);
      return token === 'ada' ? Promise.resolve(ADA) : Promise.reject(new UnauthenticatedError());
    },
  } as unknown as Authenticator;
  guard = new AccessGuard(
    new Reflector(),
    authenticator,
    resolvers,
    new AuditRegistry(),
    {} as AuditFailureWriter,
    {
      answersAgain: () => Promise.resolve(repeats.shift() ?? false),
    } as unknown as IdempotencyInterceptor,
    {} as TicketAuthenticator,
  );
});

function ask(method: keyof SampleController, request: SampleRequest, type = 'http'): Promise<boolean> {
  const execution = {
    getType: () => type,
    getHandler: () => SampleController.prototype[method],
    getClass: () => SampleController,
    switchToHttp: () => ({ getRequest: () => request }),
  } as unknown as ExecutionContext;
  return guard.canActivate(execution);
}

const anonymous = (): SampleRequest => ({ method: 'GET', routeOptions: { config: {} }, headers: {}, params: {} });
const asAda = (deviceId = DEVICE.id): SampleRequest => ({
  ...anonymous(),
  headers: { authorization: 'Bearer ada' },
  params: { deviceId },
});

describe('AccessGuard', () => {
  it('lets every request into a public route, and leaves other transports to their own guards', async () => {
    await expect(ask('open', anonymous())).resolves.toBe(true);
    await expect(ask('control', anonymous(), 'rpc')).resolves.toBe(true);
  });

  it('notes on a public route only whose limits hold, and asks for nothing', async () => {
    const [known, counted, unknown] = [asAda(), { ...asAda(), settledAsAnonymous: true }, asAda()];
    unknown.headers.authorization = 'Bearer eve';
    for (const request of [known, counted, unknown]) {
      await expect(ask('open', request)).resolves.toBe(true);
    }
    expect([known, counted, unknown].map(({ bearerId }) => bearerId)).toEqual([ADA.userId, undefined, undefined]);
    expect(known.principal).toBeUndefined();
  });

  it.each(['view', 'signedIn', 'admin'] as const)(
    'looks the session up for every change, whatever it demands: %s',
    async (name) => {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        await ask(name, { ...asAda(), method }).catch(() => undefined);
      }
      expect(certainty).toEqual([false, false, true, true, true, true]);
    },
  );

  it('looks the session up for an answer that holds a secret', async () => {
    await ask('view', { ...asAda(), routeOptions: { config: { answersSecret: true } } });
    expect(certainty).toEqual([true]);
  });

  it('notes who asks, for the route, the logs and the events', async () => {
    const request = asAda();
    const context = newContext('http', 'system');
    await runInContext(context, () => ask('signedIn', request));
    expect(request.principal).toBe(ADA);
    expect(context.actor).toBe(`user:${ADA.userId}`);
  });

  it.each([[undefined], ['ada'], ['Basic ada'], ['Bearer '], ['Bearer eve']])(
    'asks to sign in first, given %p',
    async (authorization) => {
      const request = authorization === undefined ? anonymous() : { ...anonymous(), headers: { authorization } };
      await expect(ask('signedIn', request)).rejects.toThrow(UnauthenticatedError);
    },
  );

  it('hands the resource to the route', async () => {
    const request = asAda();
    await expect(ask('view', request)).resolves.toBe(true);
    expect(request.target).toBe(DEVICE);
  });

  it('answers 404 for a resource of another tenant, and for what is no id', async () => {
    await expect(ask('view', asAda(randomUUID()))).rejects.toThrow(ResourceNotFoundError);
    await expect(ask('view', asAda('../etc'))).rejects.toThrow(ResourceNotFoundError);
    await expect(ask('view', { ...asAda(), params: {} })).rejects.toThrow(ResourceNotFoundError);
  });

  it('lets in what repeats a request that took the permission, also one that was done since it was asked', async () => {
    for (const answers of [[true], [false, true]]) {
      repeats = answers;
      await expect(ask('view', asAda(randomUUID()))).resolves.toBe(true);
    }
  });

  it('takes no failure for a refusal', async () => {
    const failing = new ResourceResolverRegistry();
    failing.register('device', {
      resolve: () => Promise.reject(new Error('The database is away.')),
      allows: () => false,
    });
    guard = new AccessGuard(
      new Reflector(),
      { authenticate: () => Promise.resolve(ADA) } as unknown as Authenticator,
      failing,
      new AuditRegistry(),
      {} as AuditFailureWriter,
      { answersAgain: () => Promise.resolve(false) } as unknown as IdempotencyInterceptor,
      {} as TicketAuthenticator,
    );
    await expect(ask('view', asAda())).rejects.toThrow('The database is away.');
  });

  it('refuses what goes beyond the permission', async () => {
    await expect(ask('control', asAda())).rejects.toThrow(ForbiddenError);
  });

  it('refuses a route that forgot to say who may call it', async () => {
    await expect(ask('forgotten', asAda())).rejects.toThrow(ForbiddenError);
    await expect(ask('forgotten', anonymous())).rejects.toThrow(UnauthenticatedError);
  });
});

describe('ResourceResolverRegistry', () => {
  it('has one resolver for each kind', () => {
    expect(() => {
      resolvers.register('device', resolvers.for('device'));
    }).toThrow('Two resolvers');
    expect(() => new ResourceResolverRegistry().for('device')).toThrow('No resolver');
  });
});
