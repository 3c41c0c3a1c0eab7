import { describe, expect, it } from '@jest/globals';
import type { DeviceEventType } from '../../../contracts/events.js';
import { readData } from './device-event-data.js';

const id = '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55';

describe('The data of a device event', () => {
  it.each<[DeviceEventType, Record<string, unknown>]>([
    ['door_status_changed', { lockState: 'locked', doorState: 'closed', commandId: id, cause: 'manual' }],
    ['door_status_changed', {}],
    ['motion_detected', { confidence: 1, zone: 'porch' }],
    ['snapshot_captured', { reference: 'x', quality: 'high', commandId: id }],
    ['low_battery', { battery: 0 }],
    ['low_battery', {}],
    ['error_occurred', { errorCode: 'motor_stalled' }],
    ['custom', { anything: [1, { goes: true }], largest: Number.MAX_SAFE_INTEGER }],
  ])('is taken as it is: %s %j', (type, data) => {
    expect(readData(type, data)).toEqual({ type, data, faults: [], dropped: [] });
  });

  it.each<[DeviceEventType, Record<string, unknown>, Record<string, unknown>, string[]]>([
    ['door_status_changed', { lockState: 'ajar', doorState: 'open' }, { doorState: 'open' }, ['lockState']],
    ['door_status_changed', { commandId: null, cause: 7 }, {}, ['cause']],
    ['motion_detected', { confidence: 2, zone: 'porch' }, { zone: 'porch' }, ['confidence']],
    ['motion_detected', { confidence: null, lux: 40 }, {}, []],
    ['motion_detected', { toString: 'x' }, {}, []],
    ['snapshot_captured', { reference: '' }, {}, ['reference']],
    ['error_occurred', { errorCode: ` ${'x'.repeat(513)}` }, { errorCode: 'x'.repeat(512) }, []],
    ['error_occurred', { errorCode: `${'x'.repeat(511)}\u{1f6aa}` }, { errorCode: 'x'.repeat(511) }, []],
    ['error_occurred', { errorCode: 17, errorMessage: 'm' }, { errorCode: '17', errorMessage: 'm' }, []],
    ['error_occurred', { errorCode: 2 ** 53, errorMessage: 'm' }, { errorMessage: 'm' }, ['errorCode']],
    ['error_occurred', { errorCode: ' ' }, {}, ['errorCode']],
    ['low_battery', { battery: 101 }, {}, ['battery']],
    ['low_battery', { battery: '5' }, {}, ['battery']],
    ['low_battery', { battery: null }, {}, []],
    ['custom', { text: 'x'.repeat(4_096) }, {}, ['data']],
    ['custom', { text: 'x'.repeat(4_096), card: 2 ** 53 }, {}, ['data']],
  ])('is taken without what is no good: %s %j', (type, data, stored, dropped) => {
    expect(readData(type, data)).toEqual({ type, data: stored, faults: [], dropped });
  });

  it.each([null, undefined, 'text', 4, [{}]])('is empty when it is no object: %j', (data) => {
    const dropped = data === null || data === undefined ? [] : ['data'];
    expect(readData('motion_detected', data)).toEqual({ type: 'motion_detected', data: {}, faults: [], dropped });
    expect(readData('custom', data)).toEqual({ type: 'custom', data: {}, faults: [], dropped });
  });

  it.each<[unknown, unknown, Record<string, unknown>, string[]]>([
    ['lock_calibrated', { turns: 4 }, { type: 'lock_calibrated', data: { turns: 4 } }, ['type']],
    ['device_deleted', undefined, { type: 'device_deleted', data: {} }, ['type']],
    ['t'.repeat(99), { toString: 1 }, { type: 't'.repeat(64), data: { toString: 1 } }, ['type']],
    [17, { turns: 4 }, { data: { turns: 4 } }, ['type']],
    [undefined, 'text', { data: {} }, ['data', 'type']],
    ['log', { text: 'x'.repeat(4_096) }, { type: 'log' }, ['type', 'data']],
  ])('is stored as custom with a type that is none: %j %j', (type, data, stored, dropped) => {
    expect(readData(type, data)).toEqual({ type: 'custom', data: stored, faults: [], dropped });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['door_status_changed', { lockState: 'locked', commandId: 'x' }, 'commandId'],
    ['custom', { card: 2 ** 53 }, ''],
    ['card_read', { card: 2 ** 53 }, ''],
  ])('refuses the event: %s %j', (type, data, member) => {
    expect(readData(type, data).faults.map((fault) => fault.member)).toEqual([member]);
  });
});

describe('What a device says of its state and its settings', () => {
  it('is an unknown lock state where it is null, which of a door says nothing', () => {
    expect(readData('door_status_changed', { lockState: null, doorState: null }).data).toEqual({
      lockState: 'unknown',
    });
    expect(readData('door_status_changed', { lockState: 'unknown' }).data).toEqual({ lockState: 'unknown' });
    expect(readData('door_status_changed', { lockState: 'ajar' })).toMatchObject({ data: {}, dropped: ['lockState'] });
  });

  it.each<[unknown, unknown, object, string[]]>([
    [4, { a: { b: 1 } }, { version: 4, settings: { a: { b: 1 } } }, []],
    [2 ** 31, [], {}, ['version', 'settings']],
    [1.5, 'x', {}, ['version', 'settings']],
    [0, { a: 'x'.repeat(8_192) }, { version: 0 }, ['settings']],
    [null, { a: 2 ** 53 }, {}, ['settings']],
  ])('is a version of settings, with settings that are whole: %j', (version, settings, data, dropped) => {
    expect(readData('settings_updated', { version, settings })).toMatchObject({ data, dropped });
  });
});
