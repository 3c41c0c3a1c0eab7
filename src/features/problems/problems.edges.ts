import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { ProblemsController } from './problems.controller.js';

/** The controllers, gateways and jobs of this feature, by role. */
export const problemsEdges = {
  api: [ProblemsController],
} satisfies FeatureEdges;
