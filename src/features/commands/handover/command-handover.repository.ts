import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';
import { CHANGE_COLUMNS, type ChangeRow, IN_FLIGHT, toChange } from '../commands.rows.js';
import type { CommandChange } from '../commands.types.js';

/** Commands of a device that changes hands. */
@Injectable()
export class CommandHandoverRepository {
  constructor(private readonly database: Database) {}

  /** QUEUED to CANCELLED, and in flight to TIMED_OUT, so that no order is sent again. */
  async endAll(deviceId: string): Promise<CommandChange[]> {
    // SQL: a set-based batch
    const rows = await this.database.query<ChangeRow>(
      'commands_end_all',
      `UPDATE commands c SET finished_at = clock_timestamp(), version = c.version + 1,
         state = CASE WHEN c.state = 'QUEUED' THEN 'CANCELLED' ELSE 'TIMED_OUT' END::command_state
       WHERE c.device_id = $1 AND (c.state = 'QUEUED' OR ${IN_FLIGHT})
       RETURNING ${CHANGE_COLUMNS}`,
      [deviceId],
    );
    return rows.map(toChange);
  }
}
