import {
  type DeviceChannel,
  deviceTopic,
  DOWNLINK_CHANNELS,
  isRetained,
  MAX_MQTT_PAYLOAD_BYTES,
  parseDeviceTopic,
  UPLINK_CHANNELS,
} from '../../contracts/mqtt.js';

/** What the broker is asked to pass on. */
export interface Publication {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly retain: boolean;
}

export type AclRefusal =
  'foreign_topic' | 'not_a_downlink' | 'not_an_uplink' | 'payload_too_large' | 'retain_not_allowed';

const uplinks: readonly DeviceChannel[] = UPLINK_CHANNELS;
const downlinks: readonly DeviceChannel[] = DOWNLINK_CHANNELS;

/** Why a device may not publish this, or null when it may: its own uplinks only, and of them retained its status alone. */
export function refusePublish(deviceId: string, publication: Publication): AclRefusal | null {
  const target = parseDeviceTopic(publication.topic);
  if (target?.deviceId !== deviceId) {
    return 'foreign_topic';
  }
  return uplinks.includes(target.channel) ? refuseForm(publication) : 'not_an_uplink';
}

/** What no client may publish, this backend included: a retained order would reach a lock that was away. */
export function refuseForm({ topic, payload, retain }: Publication): AclRefusal | null {
  if (Buffer.byteLength(payload) > MAX_MQTT_PAYLOAD_BYTES) {
    return 'payload_too_large';
  }
  return retain && !mayBeRetained(topic) ? 'retain_not_allowed' : null;
}

function mayBeRetained(topic: string): boolean {
  const target = parseDeviceTopic(topic);
  return target !== null && isRetained(target.channel);
}

/**
 * Why a device may not subscribe to this, or null when it may. Exact topics only: no wildcard is needed, so none is
 * granted.
 */
export function refuseSubscribe(deviceId: string, topic: string): AclRefusal | null {
  const target = parseDeviceTopic(topic);
  if (target?.deviceId !== deviceId) {
    return 'foreign_topic';
  }
  return downlinks.includes(target.channel) ? null : 'not_a_downlink';
}

/** A last will speaks for the device when it cannot: only about its own status. */
export function refuseWill(deviceId: string, will: Publication): AclRefusal | null {
  return will.topic === deviceTopic(deviceId, 'status') ? refuseForm(will) : 'foreign_topic';
}
