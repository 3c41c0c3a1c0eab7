/** docs/migrating.md names only what exists. Seen to fail: with `PUT` in place of `PATCH`, with `door_opened`, with a column `owner_mail`. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { DEVICE_NOTICES, DEVICE_ORDERS, DEVICE_REPORTS } from '../../src/contracts/device-sockets.js';
import { CONTROL_MESSAGES, FEED_MESSAGES } from '../../src/contracts/realtime.js';
import { KNOWN_NAMES, LEFT_OUT } from '../../src/features/devices/domain/device-file-names.js';
import { readDeviceFile } from '../../src/features/devices/domain/device-file.js';
import { TYPE_NAMES } from '../../src/features/devices/domain/device-types.js';

/** Messages that wait for visitors and access codes. */
const NOT_YET = 'new_visitor visitor_processed visitor_approval visitor_rejection access_granted access_denied'.split(
  ' ',
);

describe('docs/migrating.md', () => {
  it('names routes of ours that exist, and all of theirs that the product succeeds', async () => {
    const routes = JSON.parse(await readFile('test/contract/routes.json', 'utf8')) as object;
    const text = await readFile('docs/migrating.md', 'utf8');
    const rows = text.split('\n').filter((line) => line.startsWith('| '));
    const named = (cell = ''): string[] =>
      [...cell.matchAll(/`((?:GET|POST|PUT|PATCH|DELETE) [^`?]+)/g)].map(([, route = '']) => route.trim());
    const ours = rows.flatMap((row) => row.split(' | ').slice(1).flatMap(named));
    const outside = named(
      text
        .split('\n')
        .filter((line) => !line.startsWith('| ') && !line.startsWith('//'))
        .join(' '),
    );
    expect(ours.length).toBeGreaterThan(20);
    expect(
      [...ours, ...outside.filter((route) => route.includes('/api/v1/'))].filter(
        (route) => !Object.hasOwn(routes, route),
      ),
    ).toEqual([]);
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
        'POST /api/auth/register',
        'GET /api/auth/profile',
        'POST /api/auth/login',
        'POST /api/auth/refresh',
        'POST /api/auth/logout',
      ]),
    );
    for (const event of ['identify', 'device_register', 'command_ack', ...NOT_YET]) {
      expect(text).toContain(`\`${event}`);
    }
    const [protocol, live] = [await readFile('docs/protocol.md', 'utf8'), await readFile('docs/realtime.md', 'utf8')];
    expect(['access_granted', 'access_denied'].filter((event) => !protocol.includes(`\`${event}\``))).toEqual([]);
    expect(['new_visitor', 'visitor_rejection'].filter((event) => !live.includes(`\`${event}\``))).toEqual([]);
  });

  it('names messages of sockets that exist', async () => {
    const [, section = ''] = /\n## Sockets\n([\s\S]*?)\n## /.exec(await readFile('docs/migrating.md', 'utf8')) ?? [];
    const cells = section.split('\n').flatMap((row) => row.split(' | ')[1] ?? []);
    const named = cells.flatMap((cell) => [...cell.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(([, name = '']) => name));
    const known = [DEVICE_REPORTS, DEVICE_ORDERS, DEVICE_NOTICES, FEED_MESSAGES, CONTROL_MESSAGES];
    expect(named).toEqual(expect.arrayContaining([...Object.keys(DEVICE_ORDERS), 'update_settings', 'command_ack']));
    expect(named.filter((name) => !known.some((each) => Object.hasOwn(each, name)))).toEqual([]);
  });

  it('has a list of devices that can be loaded', async () => {
    const [, list = ''] = /```csv\n([\s\S]*?)```/.exec(await readFile('docs/migrating.md', 'utf8')) ?? [];
    const columns = ['hardwareId', 'type', 'name', 'location', 'ownerEmail'];
    const file = readDeviceFile(list);
    const rows = 'rows' in file ? file.rows : [];
    expect(rows.map(({ values, fault }) => fault ?? Object.keys(values))).toEqual([columns, columns]);
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
