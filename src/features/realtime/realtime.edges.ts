import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { RealtimeGateway } from './sockets/realtime.gateway.js';

/** The controllers, gateways and jobs of this feature, by role. */
export const realtimeEdges = {
  api: [RealtimeGateway],
} satisfies FeatureEdges;
