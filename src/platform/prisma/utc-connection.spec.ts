import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { utcConnection } from './utc-connection.js';

/** What pg would send as the options of the session. */
function optionsOf(connectionString: string): unknown {
  const client = new pg.Client({ connectionString: utcConnection(connectionString) });
  return (client as unknown as { connectionParameters: { options: unknown } }).connectionParameters.options;
}

describe('utcConnection', () => {
  it.each([
    ['postgresql://ada:secret@localhost:5432/mortise', '--timezone=UTC'],
    ['postgresql://ada:secret@localhost:5432/mortise?sslmode=disable', '--timezone=UTC'],
    [
      'postgresql://localhost/mortise?options=-c%20search_path=doors&sslmode=disable',
      '-c search_path=doors --timezone=UTC',
    ],
    ['postgresql://localhost/mortise?sslmode=disable&options=-c+work_mem%3D8MB', '-c work_mem=8MB --timezone=UTC'],
    // The last option wins: a zone of the connection string does not.
    ['postgresql://localhost/mortise?options=--timezone=Asia/Tokyo', '--timezone=Asia/Tokyo --timezone=UTC'],
  ])('adds the zone to %s', (connectionString, options) => {
    expect(optionsOf(connectionString)).toBe(options);
  });

  it('leaves the password as it was written', () => {
    const client = new pg.Client({ connectionString: utcConnection('postgresql://ada:p%40ss%25^x@db:5433/mortise') });
    expect(client).toMatchObject({ user: 'ada', password: 'p@ss%^x', host: 'db', port: 5433, database: 'mortise' });
  });
});
