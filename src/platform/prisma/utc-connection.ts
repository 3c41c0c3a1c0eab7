const UTC = '--timezone=UTC';

/**
 * The connection string with the session's time zone set to UTC. Prisma sends and reads times without a zone, so the
 * session's zone decides what they mean; left to the server's default, they are off by that zone's offset. Options that
 * the connection string brings stay in force. The string is not parsed and printed again, which would change how a
 * password is escaped.
 */
export function utcConnection(connectionString: string): string {
  const options = /([?&]options=[^&]*)/;
  if (options.test(connectionString)) {
    return connectionString.replace(options, `$1%20${UTC}`);
  }
  return `${connectionString}${connectionString.includes('?') ? '&' : '?'}options=${UTC}`;
}
