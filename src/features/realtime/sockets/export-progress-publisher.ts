import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { SignalBus } from '../../../platform/redis/signal-bus.js';
import { DashboardPublisher } from './dashboard-publisher.js';

/** Shows people how far their exports are, while they look: a hint, of which one may be lost, and no part of the log. */
@Injectable()
export class ExportProgressPublisher implements OnApplicationBootstrap, OnModuleDestroy {
  #unsubscribe: (() => void) | undefined;

  constructor(
    private readonly signals: SignalBus,
    private readonly dashboards: DashboardPublisher,
  ) {}

  onApplicationBootstrap(): void {
    this.#unsubscribe = this.signals.on('export_changed', ({ userId, ...news }) => {
      this.dashboards.tellPerson(userId, 'export_progress', news);
    });
  }

  onModuleDestroy(): void {
    this.#unsubscribe?.();
  }
}
