/** Mortise with three more routes: two that do nothing, public and for signed-in accounts, and one that counts its writes. */
import { Controller, Get, Module } from '@nestjs/common';
import { createApp, listen } from '../../src/apps/bootstrap.js';
import { loadConfig } from '../../src/config/load-config.js';
import { Authorize, Public } from '../../src/platform/auth/authorize.decorator.js';
import { countWrites, type Peer } from '../support/write-counter.js';

const portOf = (url: string | undefined, usual: number): number => Number(new URL(url ?? '').port) || usual;

const writes = countWrites({
  PostgreSQL: portOf(process.env.DATABASE_URL, 5_432),
  Redis: portOf(process.env.REDIS_URL, 6_379),
});

@Controller('probe')
class ProbeController {
  @Get('open')
  @Public()
  open(): { ok: boolean } {
    return { ok: true };
  }

  @Get('protected')
  @Authorize()
  protected(): { ok: boolean } {
    return { ok: true };
  }

  @Get('writes')
  @Public()
  writes(): Record<Peer, number> {
    return { ...writes };
  }
}

@Module({ controllers: [ProbeController] })
class ProbeModule {}

await listen(await createApp(loadConfig(process.env), [ProbeModule]));
