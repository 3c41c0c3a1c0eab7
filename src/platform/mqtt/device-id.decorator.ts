import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { parseDeviceTopic } from '../../contracts/mqtt.js';
import { receivedUplinkOf } from '../uplinks/received-uplink.js';

/**
 * The device that speaks, from the topic it published on. That is as good as a login: the broker lets a device publish
 * on its own topics only (the embedded one by BrokerAuthorizer, an external one by its access list), and a socket has the topic
 * of the device that its handshake proved.
 */
export const DeviceId = createParamDecorator((_data: unknown, context: ExecutionContext): string =>
  deviceIdOf(receivedUplinkOf(context).topic),
);

export function deviceIdOf(topic: string): string {
  const deviceId = parseDeviceTopic(topic)?.deviceId;
  if (deviceId === undefined) {
    throw new Error(`No device speaks on ${topic}.`);
  }
  return deviceId.toLowerCase();
}
