import { describe, expect, it } from '@jest/globals';
import { toIncoming, toReports } from './incoming-events.js';

const ORIGIN = { deviceId: 'one', link: 'mqtt', boot: 'boot-one' } as const;
const reportsOf = (type: string, data: object) =>
  toReports(toIncoming(ORIGIN, { seq: 1, boot: ORIGIN.boot, type, data }, 0).event);

describe('What an event reports of a device', () => {
  it('is that a lock which knows where its bolt is has been calibrated, and is not stuck', () => {
    const locked = { lockState: 'locked', calibrated: true, jammed: false };
    expect(reportsOf('door_status_changed', { lockState: 'locked' })).toEqual([{ ...ORIGIN, ...locked }]);
    expect(reportsOf('door_status_changed', { lockState: null })).toEqual([{ ...ORIGIN, calibrated: false }]);
    expect(reportsOf('door_status_changed', { doorState: 'open' })).toEqual([{ ...ORIGIN, doorState: 'open' }]);
  });

  it.each(['jammed', 'BOLT_JAM', 'LockJammed'])('is a stuck bolt for the error %s', (errorCode) => {
    expect(reportsOf('error_occurred', { errorCode })).toEqual([{ ...ORIGIN, jammed: true }]);
  });

  it('is nothing for another error', () => {
    expect(reportsOf('error_occurred', { errorCode: 'motor_stalled' })).toEqual([]);
    expect(reportsOf('error_occurred', {})).toEqual([]);
  });
});
