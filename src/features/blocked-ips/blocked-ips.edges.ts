import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { BlockedIpsController } from './blocked-ips.controller.js';

/** What meets the outside in each role. */
export const blockedIpsEdges = {
  api: [BlockedIpsController],
} satisfies FeatureEdges;
