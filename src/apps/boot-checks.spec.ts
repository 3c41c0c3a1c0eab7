import { afterEach, describe, expect, it } from '@jest/globals';
import { All, Controller, Get, type INestApplication, Module, Patch, Post } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { LowBatteryPayload } from '../features/history/history.events.js';
import { AuditRegistry } from '../platform/audit/audit-registry.js';
import { Audit } from '../platform/audit/audit.decorator.js';
import { Authorize, Public } from '../platform/auth/authorize.decorator.js';
import { HashesPassword } from '../platform/crypto/hashes-password.decorator.js';
import { EventTypeRegistry } from '../platform/events/event-type-registry.js';
import { RateLimitRegistry } from '../platform/rate-limit/rate-limit-registry.js';
import { RateLimit } from '../platform/rate-limit/rate-limit.decorator.js';
import { assertNamesAreRegistered, assertRoutesAreDeclared, BootError } from './boot-checks.js';

@Controller('guarded')
class GuardedController {
  @Get()
  @Public()
  open(): void {
    return undefined;
  }

  @Post()
  @Authorize('device:control')
  @Audit('device_updated')
  closed(): void {
    return undefined;
  }

  helper(): void {
    return undefined;
  }
}

@Public()
@Controller('class')
class PublicController {
  @Get()
  all(): void {
    return undefined;
  }
}

@Controller('forgotten')
class ForgottenController {
  @Get()
  open(): void {
    return undefined;
  }

  @Post('two')
  @Audit('device_updated')
  two(): void {
    return undefined;
  }
}

@Controller('administration')
class AdministrationController {
  @Get('limited')
  @Authorize('admin')
  @RateLimit('admin')
  limited(): void {
    return undefined;
  }

  @Get('unlimited')
  @Authorize('admin')
  unlimited(): void {
    return undefined;
  }
}

@RateLimit('exports')
@Controller('exports')
class ExportsController {
  @Get()
  @Authorize('admin')
  all(): void {
    return undefined;
  }
}

@Controller('passwords')
class PasswordsController {
  @Post('limited')
  @Public()
  @Audit('login')
  @RateLimit('auth')
  @HashesPassword()
  limited(): void {
    return undefined;
  }

  @Post('unlimited')
  @Authorize()
  @Audit('account_deleted')
  @HashesPassword()
  unlimited(): void {
    return undefined;
  }
}

@Controller('silent')
class SilentController {
  @Get()
  @Public()
  look(): void {
    return undefined;
  }

  @Patch()
  @Public()
  change(): void {
    return undefined;
  }

  @All('everything')
  @Public()
  everything(): void {
    return undefined;
  }
}

let app: INestApplication | undefined;

async function appWith(...controllers: (new () => object)[]): Promise<INestApplication> {
  const rateLimits = { has: (name: string) => name !== 'exports', unknownVariables: () => ['RATE_LIMIT_DOORS'] };
  @Module({
    controllers,
    providers: [AuditRegistry, EventTypeRegistry, { provide: RateLimitRegistry, useValue: rateLimits }],
  })
  class SampleModule {}
  const module = await Test.createTestingModule({ imports: [SampleModule] }).compile();
  app = module.createNestApplication(new FastifyAdapter());
  return app;
}

function problemsOf(sample: INestApplication, check = assertRoutesAreDeclared): readonly string[] {
  try {
    check(sample);
  } catch (error) {
    expect(error).toBeInstanceOf(BootError);
    return (error as BootError).problems;
  }
  return [];
}

afterEach(async () => {
  await app?.close();
});

describe('assertRoutesAreDeclared', () => {
  it('is content when every route says who may call it, on the method or on the class', async () => {
    expect(problemsOf(await appWith(GuardedController, PublicController))).toEqual([]);
  });

  it('refuses to boot and names every route that does not', async () => {
    expect(problemsOf(await appWith(GuardedController, ForgottenController))).toEqual([
      'GET ForgottenController.open has neither @Authorize nor @Public.',
      'POST ForgottenController.two has neither @Authorize nor @Public.',
    ]);
  });

  it('refuses to boot with a route that may change something and leave no trace', async () => {
    expect(problemsOf(await appWith(GuardedController, SilentController))).toEqual([
      'PATCH SilentController.change may change something without an @Audit, or a @ChangesNothing.',
      'ALL SilentController.everything may change something without an @Audit, or a @ChangesNothing.',
    ]);
  });

  it('refuses to boot with a route for administrators that may be called as often as one likes', async () => {
    expect(problemsOf(await appWith(AdministrationController, ExportsController))).toEqual([
      "GET AdministrationController.unlimited demands 'admin' without a @RateLimit.",
    ]);
  });

  it('refuses to boot with a route that hashes passwords as often as one likes', async () => {
    expect(problemsOf(await appWith(PasswordsController))).toEqual([
      'POST PasswordsController.unlimited hashes a password without a @RateLimit.',
    ]);
  });
});

describe('assertNamesAreRegistered', () => {
  it('refuses to boot and names every action, rate limit, variable and event type that no feature registers', async () => {
    const sample = await appWith(GuardedController, ExportsController);
    const problems = problemsOf(sample, assertNamesAreRegistered);
    expect(problems).toEqual(
      expect.arrayContaining([
        'POST GuardedController.closed audits "device_updated", which no feature registers.',
        'GET ExportsController.all names the rate limit "exports", which no feature registers.',
        'RATE_LIMIT_DOORS sets a rate limit that does not exist.',
        'No feature registers the event type "low_battery".',
      ]),
    );
    sample.get(AuditRegistry).register({ actions: ['device_updated'] });
    sample.get(EventTypeRegistry).register({ low_battery: LowBatteryPayload });
    const fewer = problemsOf(sample, assertNamesAreRegistered);
    expect(problems.length - fewer.length).toBe(2);
  });
});
