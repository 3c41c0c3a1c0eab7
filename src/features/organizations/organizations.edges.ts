import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { InvitationsController } from './invitations/invitations.controller.js';
import { MembersController } from './members.controller.js';
import { OrganizationsController } from './organizations.controller.js';

/** The controllers, gateways and jobs of this feature, by role. */
export const organizationsEdges = {
  api: [OrganizationsController, MembersController, InvitationsController],
} satisfies FeatureEdges;
