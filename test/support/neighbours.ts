import { randomUUID } from 'node:crypto';
import type { Sql } from './sql.js';

/** A person with doors, each of which the one before sees, too. */
export interface Neighbour {
  readonly id: string;
  readonly email: string;
  readonly doors: readonly string[];
  readonly isQuiet: boolean;
}

/** Of every second one it is night, all day. */
const QUIET = ['00:00', '23:59'] as const;

/** So many people with so many doors each, every second of them in quiet hours. */
export async function insertNeighbours(sql: Sql, people: number, doorsOfEach: number): Promise<Neighbour[]> {
  const neighbours = Array.from({ length: people }, (_, place) => ({
    id: randomUUID(),
    email: `neighbour-${randomUUID()}@example.com`,
    doors: Array.from({ length: doorsOfEach }, () => randomUUID()),
    isQuiet: place % 2 === 0,
  }));
  await sql.rows(
    `INSERT INTO users (id, email, display_name, updated_at)
     SELECT id, email, 'Neighbour', now() FROM jsonb_to_recordset($1::jsonb) AS r(id uuid, email text)`,
    [JSON.stringify(neighbours)],
  );
  await sql.rows(
    `INSERT INTO user_preferences (user_id, quiet_from, quiet_until, time_zone, updated_at)
     SELECT id, $2, $3, 'UTC', now() FROM jsonb_to_recordset($1::jsonb) AS r(id uuid, "isQuiet" boolean) WHERE "isQuiet"`,
    [JSON.stringify(neighbours), ...QUIET],
  );
  const doors = neighbours.flatMap(({ id: ownerId, doors: ids }, place) => {
    const { id: guestId, email } = neighbours[(place + 1) % people]!;
    return ids.map((id) => ({ id, ownerId, guestId, email }));
  });
  await sql.rows(
    `WITH r AS (SELECT * FROM jsonb_to_recordset($1::jsonb) AS r(id uuid, "ownerId" uuid, "guestId" uuid, email text)),
       doors AS (INSERT INTO devices (id, owner_id, name, hardware_id, created_at, owned_since, updated_at)
         SELECT id, "ownerId", 'Door', id::text, now() - interval '1 day', now() - interval '1 day', now() FROM r)
     INSERT INTO device_shares (id, device_id, email, user_id, permission, granted_by)
     SELECT gen_random_uuid(), id, email, "guestId", 'view', "ownerId" FROM r`,
    [JSON.stringify(doors)],
  );
  return neighbours;
}

/** The night is over for all. */
export async function endQuietHours(sql: Sql): Promise<void> {
  await sql.rows('UPDATE user_preferences SET quiet_from = NULL, quiet_until = NULL');
}
