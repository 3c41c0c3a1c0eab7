import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiagnosticsService } from '../../presence/diagnostics/diagnostics.service.js';
import { RecentOrdersRepository } from './recent-orders.repository.js';

/** Tells the diagnostics of a device of its last order and its last ack. */
@Injectable()
export class RecentOrdersService implements OnModuleInit {
  constructor(
    private readonly repository: RecentOrdersRepository,
    private readonly diagnostics: DiagnosticsService,
  ) {}

  onModuleInit(): void {
    this.diagnostics.onReadOrders((deviceId) => this.repository.get(deviceId));
  }
}
