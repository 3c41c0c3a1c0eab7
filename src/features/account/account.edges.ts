import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { AccountCredentialsController } from './account-credentials.controller.js';
import { AccountController } from './account.controller.js';

/** What meets the outside in each role. */
export const accountEdges = {
  api: [AccountController, AccountCredentialsController],
} satisfies FeatureEdges;
