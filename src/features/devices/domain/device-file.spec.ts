import { describe, expect, it, jest } from '@jest/globals';
import { leastProcessorMs } from '../../../../test/support/processor-time.js';
import { DEVICE_TYPES } from '../../../contracts/devices.js';
import { parseCsv } from '../../../shared/csv/csv.js';
import { meantName, readDeviceFile } from './device-file.js';
import { COLUMNS, KNOWN_NAMES, LEFT_OUT, meaningOf } from './device-file-names.js';
import { deviceTypeOf, unknownType, unlistedType } from './device-types.js';

const OBJECT_ID = '65f0c0ffee65f0c0ffee65f0';

/** As a backend of Express and Mongoose answers it. */
const OLD = {
  _id: OBJECT_ID,
  deviceId: 'kzg8g3',
  name: 'Front door',
  deviceType: 'doorbell',
  location: 'Hall',
  owner: { _id: OBJECT_ID, email: 'Ada@example.com', name: 'Ada' },
  userId: OBJECT_ID,
  ownerId: OBJECT_ID,
  status: 'online',
  isLocked: true,
  isOnline: false,
  settings: { autoLock: true },
  deviceToken: 'an old secret',
  firmware: null,
  room: '',
  lastSeen: '2026-01-01T00:00:00.000Z',
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  __v: 0,
};

function rowsOf(file: unknown) {
  const list = readDeviceFile(file);
  return 'rows' in list ? list.rows : [];
}
function valuesOf(row: object) {
  const [read] = rowsOf([row]);
  return read?.fault ?? read?.values;
}

describe('A list of an older backend', () => {
  it('is read with its names, its owners and what it has more, in each of its envelopes', () => {
    const envelopes = [
      [OLD],
      { devices: [OLD] },
      { data: [OLD] },
      { success: true, data: { devices: [OLD], total: 1 } },
    ];
    for (const envelope of envelopes) {
      expect(rowsOf(envelope)).toEqual([
        {
          line: 1,
          values: {
            hardwareId: 'kzg8g3',
            name: 'Front door',
            type: 'doorbell',
            location: 'Hall',
            ownerEmail: 'Ada@example.com',
          },
          unknown: [],
          leftOut: expect.arrayContaining(['_id', '__v', 'deviceToken', 'userId', 'status', 'settings']),
        },
      ]);
    }
    // One object of JSON lines is an object; blank ones are left out, and counted.
    expect(rowsOf(OLD)).toEqual(rowsOf([OLD]));
    expect(rowsOf([undefined, { mac: 'a' }]).map(({ line }) => line)).toEqual([2]);
    for (const none of [
      null,
      7,
      { name: 'x' },
      [null],
      [[{}]],
      {},
      { data: {} },
      { devices: [1] },
      [[]],
      { data: { devices: null } },
    ]) {
      expect(readDeviceFile(none)).toMatchObject({ line: 0, fault: expect.stringMatching(/list of objects/) });
    }
  });

  it('tells the id of a thing from that of a row', () => {
    expect(valuesOf({ _id: OBJECT_ID, id: OBJECT_ID, name: 'x' })).toEqual({ name: 'x' });
    expect(valuesOf({ _id: OBJECT_ID, id: 'LOCK-1' })).toEqual({ hardwareId: 'LOCK-1' });
    expect(valuesOf({ id: 7, macAddress: 'aa:bb' })).toEqual({ hardwareId: 'aa:bb' });
    expect(valuesOf({ id: 'LOCK-1' })).toEqual({ hardwareId: 'LOCK-1' });
  });

  it('takes what is said twice alike, and refuses what differs', () => {
    expect(valuesOf({ mac: 'AA:BB', device_id: 'aa:bb' })).toEqual({ hardwareId: 'AA:BB' });
    expect(valuesOf({ mac: 'AA:BB', serial: 'L-1' })).toBe(
      '`mac` and `serial` both mean `hardwareId`, and differ: send the one that is meant',
    );
    expect(valuesOf({ mac: 'a', owner: { email: 'a@b.example' }, email: 'c@b.example' })).toMatch(/`ownerEmail`/);
  });

  it.each([
    [{ owner: OBJECT_ID }, {}],
    [{ owner: { $oid: OBJECT_ID } }, {}],
    [{ user: 17, ownerId: 'x-1' }, {}],
    [{ userId: { email: 'a@b.example' } }, { ownerEmail: 'a@b.example' }],
    [{ owner: 'a@b.example' }, { ownerEmail: 'a@b.example' }],
    [{ owner: 'grace' }, { ownerEmail: 'grace' }],
    [{ firmware: { version: '1.4.2', channel: 'stable' } }, { firmwareVersion: '1.4.2' }],
    [{ firmware: { channel: 'stable' } }, { firmwareVersion: { channel: 'stable' } }],
    [{ firmware: { version: null } }, {}],
    [{ 'location.lat': 1, 'location.lng': 2 }, { position: { latitude: 1, longitude: 2 } }],
    [{ latitude: 52.5, lng: '13,37' }, { position: { latitude: 52.5, longitude: 13.37 } }],
    [{ location: { type: 'Point', coordinates: [13, 52] } }, { position: { latitude: 52, longitude: 13 } }],
    [{ coordinates: { lat: 1, lon: 2 } }, { position: { latitude: 1, longitude: 2 } }],
    [{ location: { street: 'x', lat: 1 } }, { location: { street: 'x', lat: 1 } }],
    [{ lat: 'north' }, { position: { latitude: 'north', longitude: undefined } }],
    [{ meta: { floor: 2 }, 'metadata.contract': 'A' }, { metadata: { floor: 2, contract: 'A' } }],
  ])('reads %j', (row, values) => {
    expect(valuesOf(row)).toEqual(values);
  });

  it('leaves out what such backends have more, and says so', () => {
    const more = { description: 'x', tags: ['a'], wifi: { ssid: 'y' }, capabilities: [], visitors: [], sensors: {} };
    expect(rowsOf([{ mac: 'a', ...more }])).toEqual([
      { line: 1, values: { hardwareId: 'a' }, unknown: [], leftOut: Object.keys(more) },
    ]);
  });

  it('tells names that it does not know, of bounded number, with the closest', () => {
    const [row] = rowsOf([{ hardwareId: 'a', colour: 'red', constructor: 1, firmwareVersoin: '1' }]);
    expect(row?.unknown).toEqual(['colour', 'constructor', 'firmwareVersoin']);
    expect(meantName('firmwareVersoin')).toBe('firmwareVersion');
    const many = Object.fromEntries(Array.from({ length: 99 }, (_, index) => [`x${String(index)}`, 1]));
    expect(rowsOf([many])[0]?.unknown).toHaveLength(5);
  });
});

describe('A list as CSV', () => {
  it('has the same names, and one column for each member of the metadata', () => {
    const text = `_id;Device Id;owner.email;isOnline;Latitude;longitude;metadata.floor;;id\n${OBJECT_ID};L-1;a@b.example;true;52,5;13,4;2;;9\n`;
    expect(rowsOf(text)).toEqual([
      {
        line: 2,
        values: {
          hardwareId: 'L-1',
          ownerEmail: 'a@b.example',
          position: { latitude: 52.5, longitude: 13.4 },
          metadata: { floor: '2' },
        },
        unknown: [],
        leftOut: ['_id', 'isOnline', 'id'],
      },
    ]);
    expect(rowsOf('mac,\na,b\n')[0]?.fault).toBe('the line has a value in column 2, which has no name');
    expect(readDeviceFile('mac,firmwareVersoin\na,b\n')).toMatchObject({
      fault: expect.stringMatching(/did you mean firmwareVersion\?/),
    });
    expect(readDeviceFile('mac,colour\na,b\n')).toMatchObject({
      fault: expect.stringMatching(/^has a column "colour": call it metadata\.colour, or take it out; /),
    });
    expect(readDeviceFile('_id,name\na,b\n')).toEqual({ fault: 'has no column hardwareId', line: 1 });
  });
});

describe('A hostile list', () => {
  const spellings = Array.from({ length: 201 }, (_, index) => `m${'_'.repeat(index)}ac`);

  it('has a row with more names than it may have refused for that, and for nothing else', () => {
    const row = (names: readonly string[]): object => Object.fromEntries(names.map((name) => [name, 'A1']));
    const fault = 'the row has 201 names, more than the 200 that it may have';
    expect(valuesOf(row(spellings))).toBe(fault);
    expect(valuesOf(row(spellings.slice(1)))).toEqual({ hardwareId: 'A1' });
  });

  it('has a header with more names than it may have refused for that', () => {
    const list = (names: readonly string[]): string => `${names.join(',')}\nA1\n`;
    expect(readDeviceFile(list(spellings))).toEqual({ fault: 'has more than 200 columns', line: 1 });
    expect(rowsOf(list(spellings.slice(1)))).toMatchObject([{ values: { hardwareId: 'A1' } }]);
  });

  it('has none of its rows read when there are too many', () => {
    const looks = jest.fn(() => []);
    const row = new Proxy({}, { ownKeys: looks });
    const fault = { fault: 'at most 2 devices at once', line: 0 };
    expect(readDeviceFile([row, row, row], 2)).toEqual(fault);
    expect(readDeviceFile('mac\nA1\nA2\nA3\n', 2)).toEqual(fault);
    expect(readDeviceFile([undefined, row, row, undefined, row], 2)).toEqual(fault);
    expect(looks).not.toHaveBeenCalled();
  });

  // It was 400 times that: every row was read at every column.
  it('costs what its text costs, however many columns have no name', () => {
    const text = `mac${','.repeat(200_000)}\n${'A1\n'.repeat(1_000)}`;
    expect(leastProcessorMs(() => readDeviceFile(text)) / leastProcessorMs(() => parseCsv(text))).toBeLessThan(20);
  });
});

/** As `mongoexport --type=csv` writes it, with the fields that it was told. */
describe('A table of a database of documents', () => {
  it('has ids in words, and members of objects in columns of their own', () => {
    const header = '_id,deviceId,owner,owner.name,firmware.version,firmware.channel,settings.autoLock,wifi.ssid';
    const rows = rowsOf(`${header}\nObjectId(${OBJECT_ID}),L-1,ObjectId(${OBJECT_ID}),Ada,1.4.2,stable,true,home\n`);
    expect(rows).toEqual([
      {
        line: 2,
        values: { hardwareId: 'L-1', firmwareVersion: '1.4.2' },
        unknown: [],
        leftOut: ['_id', 'owner', 'firmware', 'settings', 'wifi', 'owner'],
      },
    ]);
    expect(valuesOf({ owner: 'ObjectId(ada@b.example)' })).toEqual({ ownerEmail: 'ObjectId(ada@b.example)' });
    expect(readDeviceFile('mac,colour.red\na,b\n')).toMatchObject({ fault: expect.stringMatching(/"colour.red"/) });
  });
});

describe('Names', () => {
  it('mean one thing each', () => {
    expect(LEFT_OUT.filter((name) => !('leftOut' in (meaningOf(name) ?? {})))).toEqual([]);
    expect(KNOWN_NAMES.filter((name) => !('member' in (meaningOf(name) ?? {})))).toEqual([]);
    expect(COLUMNS.filter((name) => meaningOf(name) === undefined)).toEqual([]);
  });

  it.each([
    ['doorbell', 'camera'],
    ['Smart Lock', 'door_lock'],
    ['smartlock', 'door_lock'],
    ['doorlock', 'door_lock'],
    ['PIR', 'motion_sensor'],
    ['door-sensor', 'sensor'],
    ['relay', 'switch'],
    ...DEVICE_TYPES.map((type) => [type, type]),
  ])('of a type: %s is %s', (name, type) => {
    expect(deviceTypeOf(name)).toBe(type);
  });

  it('of a type that is not known are told, with the closest', () => {
    expect(unknownType('doorbel')).toBe('is not a type of device, did you mean `doorbell`?');
    expect(unknownType('constructor')).toBe(unknownType(7));
    expect(unknownType('kettle')).toMatch(/^must be one of: door_lock, /);
    // Where only ours are taken, the one that is meant.
    expect(unlistedType('doorbel')).toBe('is not a type of device, did you mean `camera`?');
    expect(unlistedType('smart-lock')).toBe('is not a type of device, did you mean `door_lock`?');
    expect(unlistedType(null)).toMatch(/^must be one of door_lock, /);
  });
});
