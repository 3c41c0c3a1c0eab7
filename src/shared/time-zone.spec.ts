import { describe, expect, it, jest } from '@jest/globals';
import { canonicalTimeZone } from './time-zone.js';

describe('canonicalTimeZone', () => {
  it('spells every zone that Intl lists as it does', () => {
    const zones = Intl.supportedValuesOf('timeZone');
    expect(zones.length).toBeGreaterThan(400);
    expect(zones.map((zone) => canonicalTimeZone(zone.toUpperCase()))).toEqual(zones);
  });

  it.each([
    'Asia/Kolkata',
    'Asia/Calcutta',
    'Europe/Kyiv',
    'America/Port_of_Spain',
    'America/Port-au-Prince',
    'Africa/Dar_es_Salaam',
    'America/Argentina/ComodRivadavia',
    'America/Knox_IN',
    'Europe/Isle_of_Man',
    'Antarctica/McMurdo',
    'Australia/NSW',
    'US/Eastern',
    'GB-Eire',
    'NZ-CHAT',
    'W-SU',
    'EST5EDT',
    'Etc/GMT+5',
    'UTC',
  ])('spells %s as the IANA database does, a link or not', (zone) => {
    expect(canonicalTimeZone(zone.toLowerCase())).toBe(zone);
  });

  it('asks Intl for a name once, which takes as long as a hundred answers', () => {
    const spy = jest.spyOn(Intl, 'DateTimeFormat');
    for (let round = 0; round < 10; round += 1) {
      expect(canonicalTimeZone('pacific/chatham')).toBe('Pacific/Chatham');
    }
    expect(spy.mock.calls.length).toBeLessThanOrEqual(1);
    spy.mockRestore();
  });

  it.each([
    '',
    'A\u017fia/Tokyo',
    'Z',
    '+01:00',
    '-0330',
    'Mars/Olympus',
    'Europe/Berlin ',
    'Europe',
    'europe\\berlin',
    'x'.repeat(30_000),
  ])('knows no %j', (name) => {
    expect(canonicalTimeZone(name)).toBeNull();
  });
});
