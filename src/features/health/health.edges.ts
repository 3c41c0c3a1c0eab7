import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { DeviceHealthController } from './device-health.controller.js';
import { CacheMetricsController } from './cache-metrics.controller.js';
import { HealthController } from './health.controller.js';
import { RetentionController } from './retention.controller.js';

/** The controllers, gateways and jobs of this feature, by role. */
export const healthEdges = {
  api: [HealthController, DeviceHealthController, CacheMetricsController, RetentionController],
  hardware: [HealthController],
  worker: [HealthController],
} satisfies FeatureEdges;
