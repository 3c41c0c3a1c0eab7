import type { Account } from './accounts.fixture.js';
import type { RegisteredDevice } from './devices.fixture.js';
import { request } from './rest.js';
import type { Sql } from './sql.js';

/** A device, and the boot of its link. */
export interface PresenceRow {
  status: string;
  boot: string | null;
  uptime: string | null;
  reported_at: Date | null;
  battery: number | null;
  link_boot: string | null;
  version: number;
}

export async function presenceRowOf(sql: Sql, { id }: RegisteredDevice): Promise<PresenceRow> {
  const [found] = await sql.rows<PresenceRow>(
    `SELECT d.status, d.boot, d.boot_uptime_ms AS uptime, d.boot_reported_at AS reported_at, d.battery, l.boot AS link_boot, d.version
     FROM devices d LEFT JOIN device_links l ON l.device_id = d.id WHERE d.id = $1`,
    [id],
  );
  return found!;
}

/** Type and distinguishing members of each event, oldest first. */
export async function presenceEventsOf(url: string, owner: Account, { id }: RegisteredDevice): Promise<string[]> {
  const { body } = await request<{ items: { type: string; payload: Record<string, string> }[] }>(
    url,
    'GET',
    `/api/v1/devices/${id}/events`,
    { token: owner.accessToken },
  );
  return body.items
    .map(({ type, payload }) => [type, payload.boot, payload.reason ?? payload.status].filter(Boolean).join(' '))
    .reverse()
    .filter((line) => line !== 'device_registered');
}
