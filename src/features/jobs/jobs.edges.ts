import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { JobsController } from './jobs.controller.js';

/** The controllers, gateways and jobs of this feature, by role. */
export const jobsEdges = {
  api: [JobsController],
} satisfies FeatureEdges;
