import type { FeatureEdges } from '../../platform/roles/feature-edges.js';
import { BulkUsersController } from './bulk-users.controller.js';
import { UserAdminController } from './user-admin.controller.js';
import { UserDirectoryController } from './user-directory.controller.js';
import { UsersExportController } from './users-export.controller.js';

/** What meets the outside in each role. */
export const userAdminEdges = {
  api: [UsersExportController, BulkUsersController, UserDirectoryController, UserAdminController],
} satisfies FeatureEdges;
