import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { RealtimeGateway } from './realtime.gateway.js';

/** What meets the outside in each role. */
export const realtimeEdges = {
  api: [RealtimeGateway],
} satisfies FeatureEdges;
