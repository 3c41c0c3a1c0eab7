import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { HealthController } from './health.controller.js';

/** What meets the outside in each role. */
export const healthEdges = {
  api: [HealthController],
  hardware: [HealthController],
  worker: [HealthController],
} satisfies FeatureEdges;
