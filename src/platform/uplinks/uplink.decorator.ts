import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type ReceivedUplink, receivedUplinkOf } from './received-uplink.js';
import { UplinkPipe } from './uplink.pipe.js';

const receivedUplink = createParamDecorator((_data: unknown, context: ExecutionContext): ReceivedUplink =>
  receivedUplinkOf(context),
);

/** The message of a device, read with tolerance: see {@link UplinkPipe}. The type of the parameter is its DTO. */
export function Uplink(): ParameterDecorator {
  return receivedUplink(UplinkPipe);
}
