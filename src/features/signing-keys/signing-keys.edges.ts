import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { JwksController } from './jwks.controller.js';
import { OrderKeysController } from './order-keys.controller.js';
import { SigningKeysController } from './signing-keys.controller.js';

/** What meets the outside in each role. */
export const signingKeysEdges = {
  api: [SigningKeysController, JwksController, OrderKeysController],
} satisfies FeatureEdges;
