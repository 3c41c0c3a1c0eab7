import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { CredentialsController } from './credentials/credentials.controller.js';
import { DevicesController } from './devices.controller.js';
import { ClaimsController } from './provisioning/claims.controller.js';
import { InventoryController } from './provisioning/inventory.controller.js';
import { ProvisioningController } from './provisioning/provisioning.controller.js';
import { TransfersController } from './transfers/transfers.controller.js';

/** What meets the outside in each role. */
export const devicesEdges = {
  api: [
    DevicesController,
    CredentialsController,
    ProvisioningController,
    InventoryController,
    ClaimsController,
    TransfersController,
  ],
} satisfies FeatureEdges;
