import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiagnosticsService } from '../../presence/diagnostics/diagnostics.service.js';
import { HttpPresenceService } from '../../presence/http/http-presence.service.js';
import { RecentOrdersRepository } from './recent-orders.repository.js';

/** Tells the diagnostics of a device of its last order and its last ack, and a device on HTTP how many commands wait. */
@Injectable()
export class RecentOrdersService implements OnModuleInit {
  constructor(
    private readonly repository: RecentOrdersRepository,
    private readonly diagnostics: DiagnosticsService,
    private readonly http: HttpPresenceService,
  ) {}

  onModuleInit(): void {
    this.diagnostics.onReadOrders((deviceId) => this.repository.get(deviceId));
    this.http.onCountWaiting((deviceId) => this.repository.countQueued(deviceId));
  }
}
