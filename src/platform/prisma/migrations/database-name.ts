import pg from 'pg';
import { utcConnection } from '../utc-connection.js';

/** Which database a connection string leads to, as PostgreSQL's own tools would say it; never with the password. */
export function databaseName(connectionString: string): string {
  const { database, host, port, user } = new pg.Client({ connectionString: utcConnection(connectionString) });
  return `${String(database)} at ${host}:${String(port)} as ${String(user)}`;
}
