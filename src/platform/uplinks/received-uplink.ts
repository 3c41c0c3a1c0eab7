import type { ExecutionContext } from '@nestjs/common';
import type { MqttContext } from '@nestjs/microservices';

/** A message of a device as it arrived, over MQTT or a socket. */
export interface ReceivedUplink {
  readonly topic: string;
  readonly payload: unknown;
}

/** Of a socket, the message was put into the form of MQTT before: see DeviceSocketInterceptor. */
export function receivedUplinkOf(context: ExecutionContext): ReceivedUplink {
  if (context.getType() === 'ws') {
    return context.switchToWs().getData<ReceivedUplink>();
  }
  const rpc = context.switchToRpc();
  return { topic: rpc.getContext<MqttContext>().getTopic(), payload: rpc.getData() };
}
