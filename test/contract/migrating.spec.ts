/** docs/migrating.md names only routes that exist. Seen to fail: with `PUT` in place of `PATCH`. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { KNOWN_NAMES, LEFT_OUT } from '../../src/features/devices/domain/device-file-names.js';
import { readDeviceFile } from '../../src/features/devices/domain/device-file.js';
import { TYPE_NAMES } from '../../src/features/devices/domain/device-types.js';

describe('docs/migrating.md', () => {
  it('names routes of ours that exist, and all of theirs that the product succeeds', async () => {
    const routes = JSON.parse(await readFile('test/contract/routes.json', 'utf8')) as object;
    const text = await readFile('docs/migrating.md', 'utf8');
    const rows = text.split('\n').filter((line) => line.startsWith('| '));
    const named = (cell = ''): string[] =>
      [...cell.matchAll(/`((?:GET|POST|PUT|PATCH|DELETE) [^`?]+)/g)].map(([, route = '']) => route.trim());
    const ours = rows.flatMap((row) => row.split(' | ').slice(1).flatMap(named));
    expect(ours.length).toBeGreaterThan(20);
    expect(ours.filter((route) => !Object.hasOwn(routes, route))).toEqual([]);
    const theirs = rows.flatMap((row) => named(row.slice(2).split(' | ')[0]));
    expect(theirs).toEqual(
      expect.arrayContaining([
        'POST /api/device/register',
        'GET /api/device',
        'GET /api/device/:id',
        'PUT /api/device/:id',
        'DELETE /api/device/:id',
        'GET /api/device/stats',
        'POST /api/command/open',
        'GET /api/health',
        'GET /api/health/detailed',
        'GET /api/health/devices',
        'GET /api/health/metrics',
        'POST /api/auth/login',
        'POST /api/auth/refresh',
        'POST /api/auth/logout',
      ]),
    );
    for (const event of ['identify', 'device_register', 'command_ack', 'new_visitor', 'visitor_processed']) {
      expect(text).toContain(event);
    }
  });
});

/** Seen to fail: with a name of either list taken out of the page. */
describe('docs/provisioning.md', () => {
  it('has every name that is known in a list of devices, every one that is left out, and every type', async () => {
    const text = await readFile('docs/provisioning.md', 'utf8');
    const names = [...KNOWN_NAMES, ...LEFT_OUT, ...TYPE_NAMES];
    expect(names.length).toBeGreaterThan(100);
    expect(names.filter((name) => !text.includes(`\`${name}\``) && name !== 'other')).toEqual([]);
    const [header = '', row = ''] = /```csv\n(.+)\n(.+)\n/.exec(text)?.slice(1) ?? [];
    expect(readDeviceFile(`${header}\n${row}\n`)).toMatchObject({ rows: [{ unknown: [], leftOut: [] }] });
  });
});
