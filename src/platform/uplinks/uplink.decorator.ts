import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { MqttContext } from '@nestjs/microservices';
import { type ReceivedUplink, UplinkPipe } from './uplink.pipe.js';

const receivedUplink = createParamDecorator((_data: unknown, context: ExecutionContext): ReceivedUplink => {
  const rpc = context.switchToRpc();
  return { topic: rpc.getContext<MqttContext>().getTopic(), payload: rpc.getData() };
});

/** The message of a device, read with tolerance: see {@link UplinkPipe}. The type of the parameter is its DTO. */
export function Uplink(): ParameterDecorator {
  return receivedUplink(UplinkPipe);
}
