import { describe, expect, it } from '@jest/globals';
import { deviceTopic, DOWNLINK_CHANNELS, MAX_MQTT_PAYLOAD_BYTES, UPLINK_CHANNELS } from '../../contracts/mqtt.js';
import { refuseForm, refusePublish, refuseSubscribe, refuseWill } from './device-acl.js';

const OWN = '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c55';
const OTHER = '019a9f3e-6b1a-7c44-9d0e-2f6f3a1b8c56';
const publication = (topic: string, more: { payload?: string; retain?: boolean } = {}) => ({
  topic,
  payload: '{}',
  retain: false,
  ...more,
});

describe('What a device may publish', () => {
  it.each(UPLINK_CHANNELS)('is %s of its own', (channel) => {
    expect(refusePublish(OWN, publication(deviceTopic(OWN, channel)))).toBeNull();
    expect(refusePublish(OWN, publication(deviceTopic(OTHER, channel)))).toBe('foreign_topic');
  });

  it.each(DOWNLINK_CHANNELS)('is not %s', (channel) => {
    expect(refusePublish(OWN, publication(deviceTopic(OWN, channel)))).toBe('not_an_uplink');
  });

  it('is nothing retained but its status', () => {
    expect(refusePublish(OWN, publication(deviceTopic(OWN, 'status'), { retain: true }))).toBeNull();
    expect(refusePublish(OWN, publication(deviceTopic(OWN, 'events'), { retain: true }))).toBe('retain_not_allowed');
  });

  it('is nothing above 64 KiB, counted in bytes', () => {
    const payload = 'ä'.repeat(MAX_MQTT_PAYLOAD_BYTES / 2);
    expect(refusePublish(OWN, publication(deviceTopic(OWN, 'events'), { payload }))).toBeNull();
    expect(refusePublish(OWN, publication(deviceTopic(OWN, 'events'), { payload: `${payload}x` }))).toBe(
      'payload_too_large',
    );
  });
});

describe('What a device may subscribe to', () => {
  it('is its downlinks, by their exact names', () => {
    DOWNLINK_CHANNELS.forEach((channel) => {
      expect(refuseSubscribe(OWN, deviceTopic(OWN, channel))).toBeNull();
    });
    expect(refuseSubscribe(OWN, deviceTopic(OWN, 'events'))).toBe('not_a_downlink');
    expect(refuseSubscribe(OWN, deviceTopic(OTHER, 'commands'))).toBe('foreign_topic');
    ['#', '+/#', `v1/devices/${OWN}/#`, `v1/devices/${OWN}/+`, 'v1/devices/+/commands'].forEach((topic) => {
      expect(refuseSubscribe(OWN, topic)).not.toBeNull();
    });
  });
});

describe('What no device may do', () => {
  it('is to retain an order, though settings are kept for it', () => {
    expect(refuseForm(publication(deviceTopic(OWN, 'settings'), { retain: true }))).toBeNull();
    expect(refusePublish(OWN, publication(deviceTopic(OWN, 'settings'), { retain: true }))).toBe('not_an_uplink');
    expect(refuseForm(publication(deviceTopic(OWN, 'commands'), { retain: true }))).toBe('retain_not_allowed');
    expect(refuseForm(publication(deviceTopic(OWN, 'commands')))).toBeNull();
  });

  it('is to leave a will about anything but its own status', () => {
    expect(refuseWill(OWN, publication(deviceTopic(OWN, 'status'), { retain: true }))).toBeNull();
    expect(refuseWill(OWN, publication(deviceTopic(OWN, 'events')))).toBe('foreign_topic');
    expect(refuseWill(OWN, publication(deviceTopic(OTHER, 'status')))).toBe('foreign_topic');
  });
});
