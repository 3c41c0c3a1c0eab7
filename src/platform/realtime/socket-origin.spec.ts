import { describe, expect, it } from '@jest/globals';
import { listedIn } from '../http/cors.js';
import { mayConnectFrom } from './socket-origin.js';

describe('The origin of a page that opens a socket', () => {
  const isListed = listedIn(['https://app.example.com', 'http://localhost:*', 'capacitor://localhost']);
  const may = (origin: string | undefined, host = 'doors.example.com'): boolean =>
    mayConnectFrom(
      { headers: { ...(origin !== undefined && { origin }), host } },
      isListed,
      'https://doors.example.com',
    );

  it.each([
    undefined,
    'https://app.example.com',
    'HTTPS://App.Example.COM',
    'http://localhost:5173',
    'capacitor://localhost',
    'https://doors.example.com',
    'https://doors.example.com:443',
  ])('%s may connect', (origin) => {
    expect(may(origin)).toBe(true);
  });

  it('may be the address under which the server was asked, with its port', () => {
    expect(may('http://192.168.1.7:3000', '192.168.1.7:3000')).toBe(true);
    expect(may('http://[::1]:3000', '[::1]:3000')).toBe(true);
    expect(may('https://door.local', 'DOOR.local:443')).toBe(true);
    expect(may('http://192.168.1.7:3001', '192.168.1.7:3000')).toBe(false);
    expect(may('http://door.local', 'door.local:3000')).toBe(false);
  });

  it.each([
    '',
    'null',
    'NULL',
    'https://elsewhere.example',
    'https://doors.example.com.',
    'https://doors.example.com.elsewhere.example',
    'https://elsewhere.example/https://doors.example.com',
    'https://doors.example.com@elsewhere.example',
    'https://doors.example.com/',
    'https://doors.example.com:8443',
    'https://doors.example.com:80',
    'https://app.example.com:8443',
    'http://localhost:*',
    'http://localhost.elsewhere.example',
    'file://',
    'https://app.example.com, https://elsewhere.example',
    'not an origin',
  ])('%s may not', (origin) => {
    expect(may(origin)).toBe(false);
  });
});
