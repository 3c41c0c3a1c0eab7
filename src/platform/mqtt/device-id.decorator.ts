import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { MqttContext } from '@nestjs/microservices';
import { parseDeviceTopic } from '../../contracts/mqtt.js';

/**
 * The device that speaks, from the topic it published on. That is as good as a login: the broker lets a device publish
 * on its own topics only (the embedded one by BrokerAuthorizer, an external one by its access list).
 */
export const DeviceId = createParamDecorator((_data: unknown, context: ExecutionContext): string =>
  deviceIdOf(context.switchToRpc().getContext<MqttContext>().getTopic()),
);

export function deviceIdOf(topic: string): string {
  const deviceId = parseDeviceTopic(topic)?.deviceId;
  if (deviceId === undefined) {
    throw new Error(`No device speaks on ${topic}.`);
  }
  return deviceId.toLowerCase();
}
