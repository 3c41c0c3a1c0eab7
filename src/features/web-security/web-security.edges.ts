import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { CspReportsController } from './csp-reports.controller.js';
import { SecurityTxtController } from './security-txt.controller.js';

/** The controllers, gateways and jobs of this feature, by role. */
export const webSecurityEdges = {
  api: [CspReportsController, SecurityTxtController],
} satisfies FeatureEdges;
