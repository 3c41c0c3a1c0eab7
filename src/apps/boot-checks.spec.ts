import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication, Module, Post } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Authorize, Public } from '../platform/auth/authorize.decorator.js';
import { assertRoutesAreGuarded, BootError } from './boot-checks.js';

@Controller('guarded')
class GuardedController {
  @Get()
  @Public()
  open(): void {
    return undefined;
  }

  @Post()
  @Authorize('device:control')
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
  two(): void {
    return undefined;
  }
}

let app: INestApplication | undefined;

async function appWith(...controllers: (new () => object)[]): Promise<INestApplication> {
  @Module({ controllers })
  class SampleModule {}
  const module = await Test.createTestingModule({ imports: [SampleModule] }).compile();
  app = module.createNestApplication(new FastifyAdapter());
  return app;
}

afterEach(async () => {
  await app?.close();
});

describe('assertRoutesAreGuarded', () => {
  it('is content when every route says who may call it, on the method or on the class', async () => {
    const sample = await appWith(GuardedController, PublicController);
    expect(() => {
      assertRoutesAreGuarded(sample);
    }).not.toThrow();
  });

  it('refuses to boot and names every route that does not', async () => {
    const sample = await appWith(GuardedController, ForgottenController);
    try {
      assertRoutesAreGuarded(sample);
      throw new Error('It booted.');
    } catch (error) {
      expect(error).toBeInstanceOf(BootError);
      expect((error as BootError).problems).toEqual([
        'GET ForgottenController.open has neither @Authorize nor @Public.',
        'POST ForgottenController.two has neither @Authorize nor @Public.',
      ]);
    }
  });
});
