import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { DashboardRequestsGateway } from './sockets/dashboard-requests.gateway.js';
import { RealtimeGateway } from './sockets/realtime.gateway.js';
import { RealtimeStatsController } from './stats/realtime-stats.controller.js';
import { EventStreamController } from './streams/event-stream.controller.js';
import { EventTicketsController } from './streams/event-tickets.controller.js';

/** The controllers, gateways and jobs of this feature, by role. */
export const realtimeEdges = {
  api: [
    RealtimeGateway,
    DashboardRequestsGateway,
    EventStreamController,
    EventTicketsController,
    RealtimeStatsController,
  ],
} satisfies FeatureEdges;
