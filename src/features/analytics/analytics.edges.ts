import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { AnalyticsController } from './http/analytics.controller.js';
import { UsageController } from './http/usage.controller.js';

/** What meets the outside in each role. */
export const analyticsEdges = {
  api: [AnalyticsController, UsageController],
} satisfies FeatureEdges;
