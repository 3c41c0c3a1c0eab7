import { randomUUID } from 'node:crypto';

/** Runs one statement. */
type Query = <Row extends object>(text: string, values: readonly unknown[]) => Promise<Row[]>;
type Sign = (person: { userId: string; sessionId: string; role: 'USER' }) => Promise<{ token: string }>;

export interface SignedInPerson {
  readonly userId: string;
  readonly accessToken: string;
}

/** An organization with a device, and members who are signed in; the first of them owns both. */
export interface House {
  readonly organizationId: string;
  readonly deviceId: string;
  readonly ownerId: string;
  readonly members: readonly SignedInPerson[];
}

const PEOPLE = `
  WITH people AS (
    INSERT INTO users (id, email, display_name, updated_at)
    SELECT id, id || '@example.com', 'Person', now() FROM unnest($1::uuid[]) AS id RETURNING id)
  INSERT INTO sessions (id, user_id, refresh_hash, expires_at)
  SELECT s.id, s.user_id, sha256(s.id::text::bytea), now() + interval '1 day'
  FROM unnest($1::uuid[], $2::uuid[]) AS s(user_id, id)`;
const HOUSE = `
  WITH house AS (INSERT INTO organizations (id, name) VALUES ($1::uuid, 'House')),
  members AS (
    INSERT INTO memberships (organization_id, user_id, role)
    SELECT $1::uuid, m.id, (CASE m.place WHEN 1 THEN 'OWNER' ELSE 'VIEWER' END)::organization_role
    FROM unnest($2::uuid[]) WITH ORDINALITY AS m(id, place))
  INSERT INTO devices (id, owner_id, organization_id, name, hardware_id, updated_at)
  VALUES ($3::uuid, ($2::uuid[])[1], $1::uuid, 'Front door', $3::text, now())`;

/** Written straight to the database: hashing a password for each would take minutes. */
export async function insertHouse(query: Query, sign: Sign, size: number): Promise<House> {
  const people = Array.from({ length: size }, () => ({ userId: randomUUID(), sessionId: randomUUID() }));
  const userIds = people.map(({ userId }) => userId);
  const [organizationId, deviceId] = [randomUUID(), randomUUID()];
  await query(PEOPLE, [userIds, people.map(({ sessionId }) => sessionId)]);
  await query(HOUSE, [organizationId, userIds, deviceId]);
  // What autovacuum would do within a minute.
  await query('ANALYZE users, sessions, memberships, devices', []);
  const members: SignedInPerson[] = [];
  for (const person of people) {
    const { token } = await sign({ ...person, role: 'USER' });
    members.push({ userId: person.userId, accessToken: token });
  }
  return { organizationId, deviceId, ownerId: userIds[0] ?? '', members };
}
