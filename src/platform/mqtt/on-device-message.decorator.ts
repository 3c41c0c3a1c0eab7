import { EventPattern } from '@nestjs/microservices';
import { allDevices, type UplinkChannel } from '../../contracts/mqtt.js';

/**
 * Handles what any device says on one channel. The `events` channel arrives as `{ events: [...] }`, one event or many.
 * Nest's own decorator takes no handler with typed parameter decorators.
 */
export function OnDeviceMessage(channel: UplinkChannel): MethodDecorator {
  return EventPattern(allDevices(channel)) as MethodDecorator;
}
