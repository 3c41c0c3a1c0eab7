import { DEVICE_STATUSES } from '../../../contracts/devices.js';
import { visibleDevices } from './visible-devices-sql.js';

/** Percent below which a battery counts as low. */
export const LOW_BATTERY = 20;
/** Versions of firmware that are counted each by itself, the most frequent ones. */
export const MAX_FIRMWARE_VERSIONS = 20;
const ONLINE = DEVICE_STATUSES[0];

const counts = (column: string): string =>
  `(SELECT coalesce(json_object_agg(g.value, g.count), '{}') FROM (
    SELECT ${column}::text AS value, count(*)::int AS count FROM mine GROUP BY 1) g)`;

/** One read of the devices that a person sees; the answer is as long whatever their number. */
export const STATS_STATEMENT = `WITH mine AS MATERIALIZED (
    SELECT d.status, d.type, d.room, d.battery, d.firmware_version, d.permission, d.owned FROM (${visibleDevices(2)}) d)
  SELECT count(*)::int AS total, count(*) FILTER (WHERE owned)::int AS owned, count(DISTINCT room)::int AS rooms,
    count(*) FILTER (WHERE battery < ${String(LOW_BATTERY)})::int AS "lowBattery",
    count(*) FILTER (WHERE status = '${ONLINE}')::int AS online,
    ${counts('status')} AS "byStatus", ${counts('type')} AS "byType", ${counts('permission')} AS "byPermission",
    (SELECT coalesce(json_agg(f), '[]') FROM (
      SELECT firmware_version AS version, count(*)::int AS count FROM mine WHERE firmware_version IS NOT NULL
      GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${String(MAX_FIRMWARE_VERSIONS)}) f) AS firmware
  FROM mine`;
