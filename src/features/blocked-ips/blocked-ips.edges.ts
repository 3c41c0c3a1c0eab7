import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { BlockedIpsController } from './blocked-ips.controller.js';

/** The controllers, gateways and jobs of this feature, by role. */
export const blockedIpsEdges = {
  api: [BlockedIpsController],
} satisfies FeatureEdges;
