import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { JwksController } from './jwks.controller.js';
import { OrderKeysController } from './order-keys.controller.js';
import { SigningKeysController } from './signing-keys.controller.js';

/** The controllers, gateways and jobs of this feature, by role. */
export const signingKeysEdges = {
  api: [SigningKeysController, JwksController, OrderKeysController],
} satisfies FeatureEdges;
