import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/prisma/database.js';

/** The open `http` link of a device. */
export interface HttpLink {
  readonly boot: string;
  readonly heartbeatIntervalMs: number;
}

@Injectable()
export class HttpLinksRepository {
  constructor(private readonly database: Database) {}

  async find(deviceId: string): Promise<HttpLink | null> {
    // SQL: one round trip on a hot path: every heartbeat over HTTP
    const [link] = await this.database.query<HttpLink & Record<string, unknown>>(
      'presence_http_link',
      `SELECT boot, heartbeat_interval_ms AS "heartbeatIntervalMs" FROM device_links WHERE device_id = $1 AND kind = 'http'`,
      [deviceId],
    );
    return link ?? null;
  }
}
