import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { AuditController } from './audit.controller.js';

/** What meets the outside in each role. */
export const auditEdges = {
  api: [AuditController],
} satisfies FeatureEdges;
