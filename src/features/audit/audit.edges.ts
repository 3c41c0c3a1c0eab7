import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { AuditController } from './audit.controller.js';

/** The controllers, gateways and jobs of this feature, by role. */
export const auditEdges = {
  api: [AuditController],
} satisfies FeatureEdges;
