import {
  type DeviceChannel,
  deviceTopic,
  DOWNLINK_CHANNELS,
  UPLINK_CHANNELS,
  type UplinkChannel,
} from '../../../contracts/mqtt.js';

/** In place of a device: the nil UUID (RFC 9562), which no device is given and none may log in with. */
export const CANARY_DEVICE_ID = '00000000-0000-0000-0000-000000000000';

/** In turn. What is published on a downlink has no listener: the answer of the broker shows whether orders may be published. */
export const CANARY_TURN: readonly DeviceChannel[] = DOWNLINK_CHANNELS.flatMap((down) => [...UPLINK_CHANNELS, down]);

export function canaryTopic(channel: DeviceChannel): string {
  return deviceTopic(CANARY_DEVICE_ID, channel);
}

export function isUplink(channel: string): channel is UplinkChannel {
  return UPLINK_CHANNELS.some((uplink) => uplink === channel);
}
