import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';

/** Devices of organizations, and who owns them: as many of each as were asked for. */
export interface FollowedDevices {
  readonly deviceIds: readonly string[];
  readonly ownerIds: readonly string[];
}

/** Which devices a person sees beside their own. */
@Injectable()
export class FollowedDevicesRepository {
  constructor(private readonly database: Database) {}

  /** Those of organizations that others own, and their owners; at most `limit` of each. */
  async list(userId: string, organizationIds: readonly string[], limit: number): Promise<FollowedDevices> {
    if (organizationIds.length === 0) {
      return { deviceIds: [], ownerIds: [] };
    }
    // SQL: something Prisma cannot say: an array of each
    const [row] = await this.database.query<FollowedDevices & Record<string, unknown>>(
      'history_followed_devices',
      `SELECT ARRAY(SELECT d.id FROM devices d WHERE d.organization_id = ANY ($1::uuid[]) AND d.owner_id <> $2 LIMIT $3) AS "deviceIds",
         ARRAY(SELECT DISTINCT d.owner_id FROM devices d WHERE d.organization_id = ANY ($1::uuid[]) AND d.owner_id <> $2
           LIMIT $3) AS "ownerIds"`,
      [organizationIds, userId, limit],
    );
    return row ?? { deviceIds: [], ownerIds: [] };
  }
}
