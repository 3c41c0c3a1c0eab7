import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { DevicesController } from './devices.controller.js';

/** What meets the outside in each role. */
export const devicesEdges = {
  api: [DevicesController],
} satisfies FeatureEdges;
