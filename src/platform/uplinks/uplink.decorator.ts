import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { MqttContext } from '@nestjs/microservices';
import type { FastifyRequest } from 'fastify';
import { parseDeviceTopic } from '../../contracts/mqtt.js';
import { toBatch } from '../mqtt/channel-deserializer.js';
import { type ReceivedUplink, UplinkPipe } from './uplink.pipe.js';

const receivedUplink = createParamDecorator((_data: unknown, context: ExecutionContext): ReceivedUplink => {
  if (context.getType() === 'http') {
    return uplinkOf(context.switchToHttp().getRequest<FastifyRequest>());
  }
  const rpc = context.switchToRpc();
  return { topic: rpc.getContext<MqttContext>().getTopic(), payload: rpc.getData() };
});

/** The message of a device, read with tolerance: see {@link UplinkPipe}. The type of the parameter is its DTO. */
export function Uplink(): ParameterDecorator {
  return receivedUplink(UplinkPipe);
}

function uplinkOf({ uplink, body }: FastifyRequest): ReceivedUplink {
  const topic = uplink?.topic ?? '';
  return { topic, payload: parseDeviceTopic(topic)?.channel === 'events' ? toEvents(body) : body };
}

/** Beside what MQTT carries, one event or a list of them, the object that the API document has. */
function toEvents(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'events' in body ? body : toBatch(body);
}
