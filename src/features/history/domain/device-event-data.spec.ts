import { describe, expect, it } from '@jest/globals';
import type { DeviceEventType } from '../../../contracts/events.js';
import { faultsOf } from './device-event-data.js';

const id = '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55';

describe('The data of a device event', () => {
  it.each<[DeviceEventType, Record<string, unknown>]>([
    ['door_status_changed', { lockState: 'locked', doorState: 'closed', commandId: id, cause: 'manual' }],
    ['door_status_changed', {}],
    ['motion_detected', { confidence: 1, zone: 'porch' }],
    ['snapshot_captured', { reference: 'x', quality: 'high', commandId: id }],
    ['low_battery', { battery: 0 }],
    ['error_occurred', { errorCode: 'motor_stalled' }],
    ['custom', { anything: [1, { goes: true }] }],
  ])('is valid: %s %j', (type, data) => {
    expect(faultsOf(type, data)).toEqual([]);
  });

  it.each<[DeviceEventType, Record<string, unknown>, string]>([
    ['door_status_changed', { lockState: 'ajar' }, 'lockState'],
    ['door_status_changed', { commandId: 'x' }, 'commandId'],
    ['motion_detected', { confidence: 2 }, 'confidence'],
    ['motion_detected', { confidence: null }, 'confidence'],
    ['motion_detected', { toString: 'x' }, 'toString'],
    ['snapshot_captured', { reference: '' }, 'reference'],
    ['low_battery', {}, 'battery'],
    ['low_battery', { battery: '5' }, 'battery'],
    ['error_occurred', { errorCode: 'x'.repeat(513) }, 'errorCode'],
    ['custom', { text: 'x'.repeat(4_096) }, ''],
  ])('is not valid: %s %j', (type, data, member) => {
    expect(faultsOf(type, data).map((fault) => fault.member)).toEqual([member]);
  });
});
