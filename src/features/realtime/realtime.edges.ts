import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { DashboardRequestsGateway } from './sockets/dashboard-requests.gateway.js';
import { RealtimeGateway } from './sockets/realtime.gateway.js';

/** The controllers, gateways and jobs of this feature, by role. */
export const realtimeEdges = {
  api: [RealtimeGateway, DashboardRequestsGateway],
} satisfies FeatureEdges;
