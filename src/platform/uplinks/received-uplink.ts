import type { ExecutionContext } from '@nestjs/common';
import type { MqttContext } from '@nestjs/microservices';
import type { FastifyRequest } from 'fastify';
import { parseDeviceTopic } from '../../contracts/mqtt.js';
import { toBatch } from '../mqtt/channel-deserializer.js';

/** A message of a device as it arrived, over MQTT, a socket or HTTP. */
export interface ReceivedUplink {
  readonly topic: string;
  readonly payload: unknown;
}

/** Of a socket, the message was put into the form of MQTT before: see DeviceSocketInterceptor. */
export function receivedUplinkOf(context: ExecutionContext): ReceivedUplink {
  switch (context.getType()) {
    case 'http':
      return ofRequest(context.switchToHttp().getRequest<FastifyRequest>());
    case 'ws':
      return context.switchToWs().getData<ReceivedUplink>();
    default: {
      const rpc = context.switchToRpc();
      return { topic: rpc.getContext<MqttContext>().getTopic(), payload: rpc.getData() };
    }
  }
}

function ofRequest({ uplink, body }: FastifyRequest): ReceivedUplink {
  const topic = uplink?.topic ?? '';
  return { topic, payload: parseDeviceTopic(topic)?.channel === 'events' ? toEvents(body) : body };
}

/** Beside what MQTT carries, one event or a list of them, the object that the API document has. */
function toEvents(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'events' in body ? body : toBatch(body);
}
