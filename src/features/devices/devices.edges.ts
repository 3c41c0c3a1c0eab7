import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { DevicesController } from './devices.controller.js';
import { DeviceListController } from './list/device-list.controller.js';

/** What meets the outside in each role. */
export const devicesEdges = {
  api: [DeviceListController, DevicesController],
} satisfies FeatureEdges;
