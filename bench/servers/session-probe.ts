/** Mortise with two more routes that do nothing: one public, one for signed-in accounts. */
import { Controller, Get, Module } from '@nestjs/common';
import { createApp, listen } from '../../src/apps/bootstrap.js';
import { loadConfig } from '../../src/config/load-config.js';
import { Authorize, Public } from '../../src/platform/auth/authorize.decorator.js';

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
}

@Module({ controllers: [ProbeController] })
class ProbeModule {}

await listen(await createApp(loadConfig(process.env), [ProbeModule]));
