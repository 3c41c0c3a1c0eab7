import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { type BackgroundLoop } from '../../../platform/scheduling/background-loop.js';
import { LoopRegistry } from '../../../platform/scheduling/loop-registry.js';
import { ExportSchedulesService } from './export-schedules.service.js';

const LOOK_EVERY_MS = 10_000;

/** Asks for scheduled exports in their time. Any number of workers may run it; an edge of that role. */
@Injectable()
export class ExportScheduleSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #loop: BackgroundLoop;

  constructor(schedules: ExportSchedulesService, loops: LoopRegistry, logger: PinoLogger) {
    logger.setContext(ExportScheduleSweeper.name);
    this.#loop = loops.create('export_schedules', async () => ((await schedules.runDue()) ? 'more' : 'idle'), {
      idleMs: LOOK_EVERY_MS,
      retryMs: LOOK_EVERY_MS,
      onError: (error, failures) => {
        if (failures === 1) {
          logger.warn({ err: error }, 'Scheduled exports wait');
        }
      },
    });
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#loop.stop();
  }
}
