import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { AccessCheckController } from './access/access-check.controller.js';
import { AccessController } from './access/access.controller.js';
import { HeldSharesController } from './shares/held-shares.controller.js';
import { SharePreviewsController } from './shares/share-previews.controller.js';
import { SharesController } from './shares/shares.controller.js';

/** What meets the outside in each role. */
export const sharingEdges = {
  api: [SharesController, SharePreviewsController, HeldSharesController, AccessController, AccessCheckController],
} satisfies FeatureEdges;
