import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { PresenceMqttController } from './presence-mqtt.controller.js';
import { PresenceSweeper } from './presence-sweeper.js';

/** What meets the outside in each role. */
export const presenceEdges = {
  hardware: [PresenceMqttController, PresenceSweeper],
} satisfies FeatureEdges;
